# Regenerates binomial_glmm.json.
# Run: Rscript common/stats/tests/oracles/binomial_glmm.R > common/stats/tests/oracles/binomial_glmm.json
# Oracle: lme4::glmer with 25 adaptive Gauss-Hermite nodes, an independent implementation. Data: synthetic.
suppressPackageStartupMessages({library(lme4); library(jsonlite)})

cases <- list(
  list(name = "eight_sites", x = c(40, 105, 52, 30, 171, 77, 22, 36), n = c(45, 120, 60, 33, 210, 80, 25, 40)),
  list(name = "empty_error_cells", x = c(37, 25, 42, 30, 18, 64), n = c(48, 34, 42, 31, 18, 71)),
  list(name = "zero_counts", x = c(0, 3, 1, 0, 7), n = c(40, 55, 32, 61, 48)),
  list(name = "large_heterogeneity", x = c(5, 95, 40, 99, 12), n = c(100, 100, 100, 100, 100)),
  list(name = "two_sites", x = c(50, 61), n = c(60, 90)),
  list(name = "homogeneous", x = c(8, 16, 40, 33), n = c(10, 20, 50, 41)),
  list(name = "large_sites", x = c(8100, 9210, 8745, 9000), n = c(10000, 10000, 10000, 10000)))

fit <- function(case) {
  d <- data.frame(x = case$x, n = case$n, site = factor(seq_along(case$x)))
  # The tightest tolerances at which the optimiser still reports convergence.
  m <- glmer(cbind(x, n - x) ~ 1 + (1 | site), family = binomial, data = d, nAGQ = 25,
             control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-10,
                                    optCtrl = list(rhoend = 1e-11, maxfun = 1e6),
                                    check.conv.singular = "ignore", check.conv.grad = "ignore"))
  c(case, list(mu = unname(fixef(m)), se_mu = sqrt(vcov(m)[1, 1]), tau2 = VarCorr(m)$site[1, 1]))
}
cat(toJSON(list(generator = paste(R.version.string, "/ lme4", packageVersion("lme4")), cases = lapply(cases, fit)),
           auto_unbox = TRUE, digits = I(17), pretty = TRUE), "\n")
