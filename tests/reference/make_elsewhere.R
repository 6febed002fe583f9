# Fit glmnet at the strengths of printed.json, just as a user would, and write elsewhere.json. See README.md.
#
# Usage: Rscript make_elsewhere.R        (from any directory)

suppressMessages(library(glmnet))

here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))))
source(file.path(here, "tables.R"))
options(warn = 2)

fit_printed <- function(printed) {
  case <- Filter(function(case) case$name == printed$name, manifest$cases)[[1]]
  problem <- read_case(case)
  fit <- glmnet(
    problem$x, problem$y, family = problem$family, weights = problem$w, offset = problem$offset,
    alpha = problem$l1_ratio, lambda = printed$lambda, standardize = problem$standardize,
    intercept = problem$intercept, penalty.factor = problem$v, lower.limits = problem$lower,
    upper.limits = problem$upper, thresh = 1e-22, maxit = 1e8
  )
  coefs <- setNames(as.numeric(fit$beta), unlist(case$features))
  list(name = printed$name, lambda = printed$lambda, intercept = as.numeric(fit$a0), coefficients = as.list(coefs))
}

manifest <- fromJSON(file.path(here, "cases.json"), simplifyVector = FALSE)
printed <- fromJSON(file.path(here, "printed.json"), simplifyVector = FALSE)
fits <- lapply(printed, fit_printed)
versions <- sprintf('"R": "%s", "glmnet": "%s",', getRversion(), packageVersion("glmnet"))
writeLines(c("{", versions, paste0('"fits": ', lines(fits)), "}"), file.path(here, "elsewhere.json"))
