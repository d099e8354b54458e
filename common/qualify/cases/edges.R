# Regenerates the edge_*.json cases: degenerate inputs through the same functions as the shared cases.
# Run: ORACLE_ROOT=<shared oracles> Rscript common/qualify/cases/edges.R common/qualify/cases
out <- commandArgs(trailingOnly = TRUE)[1]
source(file.path(Sys.getenv("ORACLE_ROOT", "."), "scripts/lib_auc.R"))
source(file.path(Sys.getenv("ORACLE_ROOT", "."), "scripts/lib_meta.R"))
Sys.setenv(ORACLE_SCRIPT = "edges.R"); ROOT <- tempdir(); dir.create(file.path(ROOT, "public"))

auc_case("public", "edge_auc_all_tied", "All scores tied", rep(.5, 8), c(1, 1, 1, 0, 0, 0, 0, 0))
auc_case("public", "edge_auc_one_positive", "One positive case", c(.5, .2, .7, .1, .5), c(1, 0, 0, 0, 0))
auc_case("public", "edge_auc_one_negative", "One negative case", c(.1, .2, .15), c(1, 1, 0))
auc_case("public", "edge_auc_one_each", "One case of each class", c(.5, .2), c(1, 0))
auc_case("public", "edge_auc_zero", "AUC 0", c(.1, .2, .7, .8, .9), c(1, 1, 0, 0, 0))
set.seed(1); n <- 3000; y <- rbinom(n, 1, .01); y[1:2] <- 0:1
auc_case("public", "edge_auc_rare", "Rare positives, nearly perfect", round(plogis(-6 + 7 * y + rnorm(n)), 6), y)
s <- c(seq(.7, .92, length = 12), seq(.05, .6, length = 15)); s[27] <- .7
auc_case("public", "edge_auc_touching", "Perfect but for one tie", s, rep(1:0, c(12, 15)))

meta_case("public", "edge_meta_identical", "Identical estimates", rep(.7, 3), c(.11, .23, .07), "x")
meta_case("public", "edge_meta_k1", "One site", 1.2, .1, "logit AUC", back = "logit")
meta_case("public", "edge_meta_k2_identical", "Two identical sites", c(1.2, 1.2), c(.1, .1), "x", loo = FALSE)
meta_case("public", "edge_meta_k3", "Three sites, one far more precise", c(.1, 2, .9), c(.1, .01, .3), "x")
meta_case("public", "edge_meta_unequal", "Variances over seven orders of magnitude", c(.1, .2, .9, .4), c(1e-6, 1, 3, 10), "x")
meta_case("public", "edge_meta_huge", "Huge heterogeneity", c(-5, 0, 8, 3, 6), c(.001, .002, .003, .002, .001), "x")
meta_case("public", "edge_meta_k40", "Forty sites", {set.seed(3); rnorm(40, 2, .4)}, {set.seed(4); rexp(40, 10) + .01}, "logit AUC", back = "logit")

for (f in list.files(file.path(ROOT, "public"), full.names = TRUE)) {
  d <- sub('"notes":', '"data_origin": "synthetic (this script)",\n  "notes":', readLines(f))
  writeLines(d, file.path(out, basename(f)))
}
