# The same cross-validation as a script in R would do it: text to JSON. Rscript whole.R table.csv strengths.txt
suppressMessages({library(data.table); library(glmnet); library(jsonlite)})
words <- commandArgs(TRUE)
d <- fread(words[1], nThread = 1)
X <- as.matrix(d[, !c("target", "fold")])
fit <- cv.glmnet(X, d$target, foldid = d$fold, lambda = scan(words[2], quiet = TRUE))
coefs <- coef(fit, s = "lambda.min")
cat(toJSON(list(lambdas = fit$lambda, mean = fit$cvm, se = fit$cvsd, lambda_min = fit$lambda.min,
                coefficients = setNames(as.list(coefs[, 1]), rownames(coefs))), digits = NA, auto_unbox = TRUE), "\n")
