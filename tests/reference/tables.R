# Tables of cases/ as problems, and JSON with all digits. Sourced by the scripts beside it.

suppressMessages({
  library(jsonlite)
  library(data.table)
})

read_case <- function(case) {
  table <- fread(file.path(here, "cases", case$csv), data.table = FALSE, check.names = FALSE)
  features <- unlist(case$features)
  p <- length(features)
  per_column <- function(given, default) {
    values <- setNames(rep(default, p), features)
    values[names(given)] <- as.numeric(unlist(given))
    unname(values)
  }
  n <- nrow(table)
  list(
    x = as.matrix(table[features]), y = as.numeric(table$y), fold = as.integer(table$fold),
    w = if (is.null(case$weights)) rep(1, n) else as.numeric(table[[case$weights]]),
    offset = offset_of(case, table),
    family = case$family, l1_ratio = case$l1_ratio, compat = isTRUE(case$compat),
    v = per_column(case$penalty_factors, 1), lower = per_column(case$lower, -Inf), upper = per_column(case$upper, Inf),
    intercept = !isFALSE(case$intercept), standardize = !isFALSE(case$standardize),
    lambdas = as.numeric(unlist(case$lambdas))
  )
}

# The offset and the logarithm of the exposure; NULL without either.
offset_of <- function(case, table) {
  parts <- list(
    if (!is.null(case$offset)) as.numeric(table[[case$offset]]),
    if (!is.null(case$exposure)) log(as.numeric(table[[case$exposure]]))
  )
  Reduce(`+`, Filter(Negate(is.null), parts))
}

# jsonlite writes 15 digits at most; 17 are needed to read the same doubles again.
to_json <- function(value) {
  if (is.null(value)) return("null")
  if (is.list(value)) {
    items <- vapply(value, to_json, "")
    if (is.null(names(value))) return(paste0("[", paste(items, collapse = ", "), "]"))
    keys <- vapply(names(value), function(key) toJSON(unbox(key)), "")
    return(paste0("{", paste0(keys, ": ", items, collapse = ", "), "}"))
  }
  stopifnot(!anyNA(value))
  items <- if (is.numeric(value)) sprintf("%.17g", value) else vapply(value, function(one) toJSON(unbox(one)), "")
  if (length(value) == 1 && !inherits(value, "AsIs")) items else paste0("[", paste(items, collapse = ", "), "]")
}

lines <- function(entries) paste0("[\n", paste(vapply(entries, to_json, ""), collapse = ",\n"), "\n]")
