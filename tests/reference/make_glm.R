# Fit the tables of counts without a penalty by R's glm and write glm.json. See README.md.
#
# Usage: Rscript make_glm.R        (from any directory)

here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))))
source(file.path(here, "tables.R"))
options(warn = 1)

TABLES <- c(
  "plain", "dummies", "weights", "offset", "exposure", "offset-exposure", "rates", "large", "zeros", "no-intercept",
  "no-standardize", "uneven"
)

# Targets need not be whole numbers, and the weights are no counts: glm warns of the former, and fits.
quietly <- function(expression) {
  withCallingHandlers(expression, warning = function(w) {
    if (grepl("non-integer", conditionMessage(w))) invokeRestart("muffleWarning")
    stop("unexpected warning: ", conditionMessage(w), call. = FALSE)
  })
}

fit_table <- function(name) {
  case <- Filter(function(case) case$name == paste0("poisson_", name, "_1"), manifest$cases)[[1]]
  problem <- read_case(case)
  offset <- if (is.null(problem$offset)) numeric(length(problem$y)) else problem$offset
  z <- cbind(`(Intercept)` = if (problem$intercept) 1, problem$x)
  fit <- quietly(glm.fit(
    z, problem$y, weights = problem$w, offset = offset, family = poisson(), intercept = problem$intercept,
    control = glm.control(epsilon = 1e-15, maxit = 200)
  ))
  theta <- fit$coefficients
  size <- colSums(problem$w * problem$y * abs(z))
  score <- max(abs(colSums(problem$w * (problem$y - fit$fitted.values) * z)) / size)
  cat(sprintf("%-20s %d rounds, score %.1e\n", name, fit$iter, score))
  stopifnot(score < 1e-14)
  list(
    name = case$name, intercept = if (problem$intercept) theta[["(Intercept)"]] else 0, deviance = fit$deviance,
    coefficients = as.list(theta[colnames(problem$x)])
  )
}

manifest <- fromJSON(file.path(here, "cases.json"), simplifyVector = FALSE)
fits <- lapply(TABLES, fit_table)
writeLines(c("{", sprintf('"R": "%s",', getRversion()), paste0('"fits": ', lines(fits)), "}"), file.path(here, "glm.json"))
