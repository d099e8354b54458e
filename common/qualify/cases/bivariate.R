# Regenerates bivariate_8sites.json: the shared case reitsma_8sites with the binomial model at its maximum.
# With its usual optimisers lme4 stops at a saddle point there (log-likelihood -51.4368, no variance of
# sensitivity); from the start below it climbs to -51.0358, and so it does with nlminbwrap.
# Run: Rscript common/qualify/cases/bivariate.R <shared oracles>/public/reitsma_8sites.json common/qualify/cases
suppressPackageStartupMessages({library(lme4); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
case <- fromJSON(arguments[1], simplifyVector = FALSE)
number <- function(key) as.numeric(unlist(case$input[[key]]))
k <- length(number("TP"))
L <- data.frame(study = rep(1:k, 2), sens = rep(1:0, each = k), spec = rep(0:1, each = k),
                y = c(number("TP"), number("TN")),
                n = c(number("TP") + number("FN"), number("FP") + number("TN")))
g <- suppressMessages(glmer(cbind(y, n - y) ~ 0 + sens + spec + (0 + sens + spec | study), data = L,
  family = binomial, start = list(theta = c(.2, -.13, .01), fixef = c(1.8, 2)),
  control = glmerControl(optimizer = "bobyqa", nAGQ0initStep = FALSE, optCtrl = list(maxfun = 2e5))))
v <- as.matrix(VarCorr(g)$study); b <- unname(fixef(g)); s <- unname(sqrt(diag(as.matrix(vcov(g)))))
case$id <- "bivariate_8sites"
case$script <- "common/qualify/cases/bivariate.R"
case$expected$glmm_ml <- list(logit_sens = b[1], logit_spec = b[2], se_logit_sens = s[1], se_logit_spec = s[2],
  sens = plogis(b[1]), spec = plogis(b[2]), tau2_sens = v[1, 1], tau2_spec = v[2, 2], tau_cov = v[1, 2])
writeLines(toJSON(case, auto_unbox = TRUE, digits = NA, pretty = TRUE, null = "null"),
           file.path(arguments[2], "bivariate_8sites.json"))
