# Times pROC and metafor on data like ours: references.R auroc N | synthesis K; one line of JSON.
arguments <- commandArgs(trailingOnly = TRUE)
what <- arguments[1]; size <- as.integer(arguments[2])
median_of <- function(run, repeats) {
  run()
  median(sapply(seq_len(repeats), function(i) { start <- Sys.time(); run(); as.numeric(Sys.time() - start, units = "secs") }))
}
set.seed(1)
if (what == "auroc") {
  suppressPackageStartupMessages(library(pROC))
  label <- as.integer(runif(size) < .3); score <- plogis(rnorm(size) + label)
  seconds <- median_of(function() ci.auc(roc(label, score, levels = c(0, 1), direction = "<", quiet = TRUE), method = "delong"), 9)
} else {
  suppressPackageStartupMessages(library(metafor))
  vi <- .02 + .1 * runif(size); yi <- 1.8 + .3 * rnorm(size) + sqrt(vi) * rnorm(size)
  seconds <- median_of(function() for (i in 1:20) rma(yi, vi, method = "REML", test = "knha"), 9) / 20
}
cat(sprintf('{"what": "%s", "size": %d, "seconds": %.9f}\n', what, size, seconds))
