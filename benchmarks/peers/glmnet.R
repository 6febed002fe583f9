# glmnet in a process of its own, with the same protocol on standard output as worker.py.
# Rscript glmnet.R key=value ...; see worker.py for the keys.
suppressMessages(library(glmnet))
words <- commandArgs(TRUE)
job <- as.list(sub("^[^=]*=", "", words)); names(job) <- sub("=.*", "", words)
num <- function(key) as.numeric(job[[key]])
memory <- function(field) {
  lines <- tryCatch(readLines("/proc/self/status"), error = function(e) character(), warning = function(e) character())
  line <- grep(paste0("^", field, ":"), lines, value = TRUE)
  if (length(line)) 1024 * as.numeric(gsub("[^0-9]", "", line)) else 0
}
forget_peak <- function() try(cat("5", file = "/proc/self/clear_refs"), silent = TRUE)
say <- function(...) { cat(..., "\n", sep = ""); flush(stdout()) }
bytes <- function(name, kind, count, size = NA)
  readBin(file.path(job$folder, name), kind, count, size = size)

family <- job$family
settings <- if (job$tol == "") list() else list(thresh = num("tol"), maxit = 1e8)
glmnet.control(fdev = 0, devmax = 1)  # the whole path, as everybody walks it
cores <- num("cores")
if (cores > 1) { suppressMessages(library(doParallel)); registerDoParallel(cores) }

run <- function(ratio, lambda, X, y, folds)
  do.call(cv.glmnet, c(list(X, y, family = family, alpha = ratio, lambda = lambda, foldid = folds,
                            parallel = cores > 1), settings))

# everything is loaded and compiled once before the clock starts
set.seed(1); small <- matrix(rnorm(400), 40)
invisible(run(1, c(0.3, 0.1, 0.03), small, rep(0:1, 20), rep(1:4, 10)))
invisible(gc())
bare <- memory("VmRSS")

n <- num("n"); p <- num("p")
if (job$sparse == "True") {
  nnz <- num("nnz")
  X <- new("dgCMatrix", i = bytes("X.rows.bin", "integer", nnz), p = bytes("X.ends.bin", "integer", p + 1),
           x = bytes("X.data.bin", "double", nnz), Dim = as.integer(c(n, p)))
} else {
  X <- bytes("X.bin", "double", n * p); dim(X) <- c(n, p)
}
y <- bytes("y.bin", "double", n)
folds <- readBin(job$folds, "integer", n) + 1L
ratios <- as.numeric(strsplit(job$l1_ratios, ",")[[1]])
lambdas <- matrix(readBin(job$lambdas, "double", num("count") * length(ratios)), num("count"))
invisible(gc())

if (job$task == "curve") {
  forget_peak()
  loaded <- memory("VmRSS")
  say("begin")
  start <- proc.time()
  fits <- lapply(seq_along(ratios), function(r) run(ratios[r], lambdas[, r], X, y, folds))
  spent <- proc.time() - start
  say(sprintf('end {"wall": %.6f, "cpu": %.6f, "bare": %.0f, "loaded": %.0f, "peak": %.0f}',
              spent[3], sum(spent[c(1, 2, 4, 5)], na.rm = TRUE), bare, loaded, memory("VmHWM")))
  writeBin(unlist(lapply(fits, function(fit) fit$cvm)), job$out)
} else {
  say("begin")
  start <- proc.time()
  out <- file(job$out, "wb")
  for (lane in as.integer(strsplit(job$lanes, ",")[[1]])) {
    rows <- which(folds != lane)
    for (r in seq_along(ratios)) {
      fit <- do.call(glmnet, c(list(X[rows, ], y[rows], family = family, alpha = ratios[r], lambda = lambdas[, r]),
                               settings))
      models <- rbind(as.numeric(fit$a0), as.matrix(fit$beta))
      if (ncol(models) < num("count"))
        models <- cbind(models, matrix(NaN, p + 1, num("count") - ncol(models)))
      writeBin(as.numeric(models), out)
    }
  }
  close(out)
  spent <- proc.time() - start
  say(sprintf('end {"wall": %.6f, "cpu": %.6f}', spent[3], sum(spent[c(1, 2)])))
}
say("done")
