# Fit every case of cases.json with R's glmnet and write glmnet.json. See README.md.
#
# Usage: Rscript make_glmnet.R        (from any directory)

suppressMessages(library(glmnet))

MAX_VIOLATION <- 1e-9  # above it the reference itself is in doubt
MIN_MARGIN <- 5e-6     # how far lambda.min and lambda.1se must be from a tie
THRESH <- 1e-22
MAXIT <- 1e8

here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))))
source(file.path(here, "tables.R"))
options(warn = 1)

rows_of <- function(problem, keep) {
  problem$x <- problem$x[keep, , drop = FALSE]
  for (part in c("y", "fold", "w")) problem[[part]] <- problem[[part]][keep]
  if (!is.null(problem$offset)) problem$offset <- problem$offset[keep]
  problem
}

# ------------------------------------------------------------------------------------------------------------- fitting

# glmnet rescales penalty factors to sum p; regcli uses them as given unless told --compat glmnet.
glmnet_lambdas <- function(problem) if (problem$compat) problem$lambdas else problem$lambdas * mean(problem$v)

# family = "gaussian" divides the L2 part by the sd of y; the family object has the documented objective.
glmnet_family <- function(problem) {
  if (problem$family == "gaussian" && !problem$compat) gaussian() else problem$family
}

# The few warnings that are expected; any other one stops the script.
quietly <- function(expression) {
  expected <- "fewer than 8  observations|grouped=FALSE enforced"
  withCallingHandlers(expression, warning = function(w) {
    if (grepl(expected, conditionMessage(w))) invokeRestart("muffleWarning")
    stop("unexpected warning: ", conditionMessage(w), call. = FALSE)
  })
}

glmnet_arguments <- function(problem) {
  list(
    x = problem$x, y = problem$y, family = glmnet_family(problem), weights = problem$w, offset = problem$offset,
    alpha = problem$l1_ratio, lambda = glmnet_lambdas(problem), standardize = problem$standardize,
    intercept = problem$intercept, penalty.factor = problem$v, lower.limits = problem$lower,
    upper.limits = problem$upper, thresh = THRESH, maxit = MAXIT
  )
}

fit_path <- function(problem) {
  fit <- quietly(do.call(glmnet, glmnet_arguments(problem)))
  same <- abs(fit$lambda - glmnet_lambdas(problem)) <= 1e-14 * fit$lambda # it divides by sd(y) and multiplies again
  stopifnot(length(fit$lambda) == length(problem$lambdas), all(same))
  list(a0 = as.numeric(fit$a0), beta = as.matrix(fit$beta))
}

# -------------------------------------------------------------------------------------- violation, from the data alone

mean_of <- function(eta, family) switch(family, gaussian = eta, binomial = 1 / (1 + exp(-eta)), poisson = exp(eta))

null_intercept <- function(problem, w, offset) {
  if (!problem$intercept) return(0)
  if (problem$family == "gaussian") return(sum(w * (problem$y - offset)))
  if (problem$family == "poisson") return(log(sum(w * problem$y) / sum(w * exp(offset))))
  b0 <- 0
  for (i in 1:100) {
    mu <- mean_of(b0 + offset, "binomial")
    b0 <- b0 + sum(w * (problem$y - mu)) / sum(w * mu * (1 - mu))
  }
  b0
}

# Distance of each gradient to the negative subdifferential of penalty and limits, in units of the column over its sd,
# the largest of them over the largest gradient of the null model (intercept and offset only).
violations <- function(problem, fit) {
  w <- problem$w / sum(problem$w)
  offset <- if (is.null(problem$offset)) numeric(length(problem$y)) else problem$offset
  centred <- sweep(problem$x, 2, colSums(w * problem$x))
  sds <- sqrt(colSums(w * centred^2))
  used <- sds > 0
  z <- if (problem$intercept) centred else problem$x
  gradient <- function(eta) -colSums(w * (problem$y - mean_of(eta, problem$family)) * z) / sds
  v <- if (problem$compat) problem$v / mean(problem$v) else problem$v
  unit <- if (problem$standardize) sds else rep(1, length(sds))
  sd_y <- 1
  if (problem$compat && problem$family == "gaussian") {
    target <- problem$y - offset
    sd_y <- sqrt(sum(w * (target - if (problem$intercept) sum(w * target) else 0)^2))
  }
  scale <- max(abs(gradient(offset + null_intercept(problem, w, offset)))[used])
  at <- function(t) {
    b <- fit$beta[, t]
    eta <- offset + fit$a0[t] + drop(problem$x %*% b)
    lam <- problem$lambdas[t]
    l1 <- lam * problem$l1_ratio * v * unit / sds
    smooth <- gradient(eta) + lam * (1 - problem$l1_ratio) * v * unit^2 / sds / sd_y * b
    up <- ifelse(b >= problem$upper * (1 - 1e-13), Inf, smooth + ifelse(b >= 0, l1, -l1))
    down <- ifelse(b <= problem$lower * (1 - 1e-13), Inf, -(smooth + ifelse(b > 0, l1, -l1)))
    level <- if (problem$intercept) abs(sum(w * (problem$y - mean_of(eta, problem$family)))) else 0
    max(0, level, -up[used], -down[used]) / scale
  }
  vapply(seq_along(problem$lambdas), at, 0)
}

# ---------------------------------------------------------------------------------------------------- cross-validation

# Smallest relative distance of another strength from being chosen in place of lambda.min or lambda.1se.
margin_of <- function(cv, larger_is_better) {
  m <- if (larger_is_better) -cv$cvm else cv$cvm
  best <- which.min(m)
  bar <- m[best] + cv$cvsd[best]
  min(abs(m[-best] - m[best]), abs(m - bar)) / abs(m[best])
}

cross_validate <- function(problem, measure) {
  arguments <- c(glmnet_arguments(problem), list(foldid = problem$fold, type.measure = measure, keep = TRUE))
  cv <- quietly(do.call(cv.glmnet, arguments))
  stopifnot(length(cv$lambda) == length(problem$lambdas))
  list(cv = cv, summary = list(
    mean = cv$cvm, se = cv$cvsd, lambda_min = problem$lambdas[cv$index["min", 1]],
    lambda_1se = problem$lambdas[cv$index["1se", 1]], margin = margin_of(cv, measure == "auc")
  ))
}

# The fits of the folds again, for their violation, and their predictions held against those cv.glmnet used.
fold_violation <- function(problem, preval) {
  worst <- 0
  for (k in sort(unique(problem$fold))) {
    test <- problem$fold == k
    train <- rows_of(problem, !test)
    fit <- fit_path(train)
    eta <- sweep(problem$x[test, , drop = FALSE] %*% fit$beta, 2, fit$a0, "+")
    if (!is.null(problem$offset)) eta <- eta + problem$offset[test]
    stopifnot(max(abs(eta - preval[test, ])) <= 1e-8 * max(1, abs(eta)))
    worst <- max(worst, violations(train, fit))
  }
  worst
}

main_measure <- function(problem) if (problem$family == "gaussian") "mse" else "deviance"

# ------------------------------------------------------------------------------------------------------------- a case

relative_gap <- function(a, b) max(abs(a - b)) / max(abs(b))

# Largest difference between rows of weight zero and no such rows: coefficients (in sd) and curve.
zero_weight_gap <- function(problem, fit, summary) {
  if (all(problem$w > 0)) return(NULL)
  less <- rows_of(problem, problem$w > 0)
  sds <- sqrt(colSums(problem$w / sum(problem$w) * sweep(problem$x, 2, colMeans(problem$x))^2))
  max(
    relative_gap(fit_path(less)$beta * sds, fit$beta * sds),
    relative_gap(cross_validate(less, main_measure(problem))$summary$mean, summary$mean)
  )
}

run_case <- function(case) {
  problem <- read_case(case)
  fit <- fit_path(problem)
  found <- cross_validate(problem, main_measure(problem))
  worst <- c(max(violations(problem, fit)), fold_violation(problem, found$cv$fit.preval))
  cat(sprintf("%-40s violation %.1e, in folds %.1e, margin %.1e\n", case$name, worst[1], worst[2], found$summary$margin))
  if (max(worst) > MAX_VIOLATION) doubts <<- c(doubts, case$name)
  if (found$summary$margin < MIN_MARGIN) ties <<- c(ties, case$name)
  cv <- list(found$summary)
  names(cv) <- main_measure(problem)
  for (measure in unlist(case$measures)) cv[[measure]] <- cross_validate(problem, measure)$summary
  nonzero <- rowSums(fit$beta != 0) > 0
  list(
    name = case$name, lambdas = problem$lambdas, intercepts = fit$a0,
    coefficients = lapply(setNames(which(nonzero), unlist(case$features)[nonzero]), function(j) unname(fit$beta[j, ])),
    violation = worst[1], fold_violation = worst[2], grouped = length(problem$y) / max(problem$fold) >= 3, cv = cv,
    zero_weight_gap = zero_weight_gap(problem, fit, found$summary)
  )
}

# ------------------------------------------------------------------------------------- paths glmnet chooses by itself

run_generated <- function(case) {
  problem <- read_case(case)
  paths <- lapply(c(1e-7, 1e-12, THRESH), function(thresh) {
    arguments <- list(
      x = problem$x, y = problem$y, family = problem$family, weights = problem$w, alpha = problem$l1_ratio,
      thresh = thresh, maxit = MAXIT
    )
    arguments$offset <- problem$offset # absent if NULL
    arguments$lambda.min.ratio <- case$lambda_min_ratio # absent if NULL
    quietly(do.call(glmnet, arguments))
  })
  lengths <- vapply(paths, function(fit) length(fit$lambda), 0L)
  cat(sprintf("%-40s strengths at thresh 1e-7, 1e-12 and %g: %s\n", case$name, THRESH, paste(lengths, collapse = " ")))
  fit <- paths[[3]]
  list(name = case$name, lambdas = fit$lambda, dev_ratio = as.numeric(fit$dev.ratio), lengths = lengths)
}

# ------------------------------------------------------------------------------------------------------------- writing

doubts <- ties <- character(0)
glmnet.control(epsnr = 1e-15)
manifest <- fromJSON(file.path(here, "cases.json"), simplifyVector = FALSE)
cases <- lapply(manifest$cases, run_case)
generated <- lapply(manifest$generated, run_generated)
if (length(doubts)) stop("violation above ", MAX_VIOLATION, ": ", paste(doubts, collapse = " "))
if (length(ties)) stop("too close to a tie: ", paste(ties, collapse = " "))

writeLines(c(
  "{",
  sprintf('"R": "%s", "glmnet": "%s", "thresh": %g,', getRversion(), packageVersion("glmnet"), THRESH),
  paste0('"cases": ', lines(cases), ","),
  paste0('"generated": ', lines(generated)),
  "}"
), file.path(here, "glmnet.json"))
