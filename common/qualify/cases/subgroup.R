# Makes subgroup_10sites.json: subgroups of sites and a moderator, since the shared cases of this topic carry data
# of another package. Run: ORACLE_ROOT=<shared oracles> Rscript common/qualify/cases/subgroup.R common/qualify/cases
out <- commandArgs(trailingOnly = TRUE)[1]
source(file.path(Sys.getenv("ORACLE_ROOT", "."), "scripts/lib_meta.R"))
Sys.setenv(ORACLE_SCRIPT = "common/qualify/cases/subgroup.R"); ROOT <- tempdir(); dir.create(file.path(ROOT, "public"))
yi <- c(1.92, 1.41, 2.35, 1.18, 2.04, 0.87, 1.66, 2.51, 1.05, 1.49)
vi <- c(.031, .052, .044, .061, .028, .090, .047, .066, .038, .055)
group <- factor(c("A", "B", "A", "B", "A", "B", "C", "C", "B", "A"), levels = c("A", "B", "C"))
year <- c(2012, 2015, 2019, 2011, 2020, 2009, 2016, 2021, 2010, 2014)
k <- length(yi); w0 <- 1 / vi
each <- lapply(levels(group), function(g) { i <- group == g; f <- rmat(yi[i], vi[i], "REML")
  list(level = g, k = sum(i), estimate = as.numeric(f$beta), se = f$se, tau2 = f$tau2, Q = f$QE, I2_percent = f$I2) })
between <- function(m, v) { w <- 1 / v; q <- sum(w * (m - sum(w * m) / sum(w))^2); df <- length(m) - 1
  list(Q_between = q, df = df, p = pchisq(q, df, lower.tail = FALSE)) }
pick <- function(key) sapply(each, `[[`, key)
e <- list(separate_tau2 = c(list(groups = each), between(pick("estimate"), pick("se")^2)))
null <- rmat(yi, vi, "REML")$tau2; X <- model.matrix(~group)[, -1]
for (t in c("z", "knha")) { f <- rmat(yi, vi, "REML", t, mods = X)
  e[[paste0("common_tau2_", t)]] <- list(coef = I(as.numeric(f$beta)), se = I(as.numeric(f$se)), tau2 = f$tau2, QM = f$QM,
    QM_df = I(if (t == "knha") as.numeric(f$QMdf) else f$m), QM_p = f$QMp, QE = f$QE, QE_p = f$QEp,
    R2_percent = max(0, 100 * (null - f$tau2) / null)) }
fixed <- sapply(levels(group), function(g) { i <- group == g; c(sum(yi[i] * w0[i]) / sum(w0[i]), 1 / sum(w0[i])) })
e$fixed_effect <- between(fixed[1, ], fixed[2, ])
for (t in c("z", "knha")) { f <- rmat(yi, vi, "REML", t, mods = cbind(year))
  e[[paste0("metareg_x_", t)]] <- list(coef = I(as.numeric(f$beta)), se = I(as.numeric(f$se)), stat = I(as.numeric(f$zval)),
    p = I(as.numeric(f$pval)), tau2 = f$tau2, QM = f$QM, QM_p = f$QMp, QE = f$QE, I2_percent = f$I2) }
emit("public", "subgroup_10sites", "meta_subgroup", "Ten sites with scanners of three vendors; year as moderator",
  pv("metafor"), "rma(yi,vi,mods=…,method='REML',test=z|knha)",
  list(yi = I(yi), vi = I(vi), group = I(as.character(group)), x = I(year)), e, tolerance = list(abs = 1e-7, rel = 1e-6))
writeLines(sub('"notes":', '"data_origin": "synthetic (this script)",\n  "notes":',
               readLines(file.path(ROOT, "public", "subgroup_10sites.json"))), file.path(out, "subgroup_10sites.json"))
