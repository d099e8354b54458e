//! The cases that come with the program: synthetic data, so that they may.

use crate::case::Case;

const CASES: [&str; 75] = [
    include_str!("../cases/auc_below_half.json"),
    include_str!("../cases/auc_clustered_mixed.json"),
    include_str!("../cases/auc_clustered_pure.json"),
    include_str!("../cases/auc_perfect.json"),
    include_str!("../cases/auc_synth_n400.json"),
    include_str!("../cases/auc_ties_birads5.json"),
    include_str!("../cases/binom_ci_grid.json"),
    include_str!("../cases/bivariate_8sites.json"),
    include_str!("../cases/cal_overconfident.json"),
    include_str!("../cases/cal_well.json"),
    include_str!("../cases/dca_3sites.json"),
    include_str!("../cases/delong_paired_noninf.json"),
    include_str!("../cases/delong_unpaired_sites.json"),
    include_str!("../cases/e2e_5sites.json"),
    include_str!("../cases/edge_auc_all_tied.json"),
    include_str!("../cases/edge_auc_one_each.json"),
    include_str!("../cases/edge_auc_one_negative.json"),
    include_str!("../cases/edge_auc_one_positive.json"),
    include_str!("../cases/edge_auc_rare.json"),
    include_str!("../cases/edge_auc_touching.json"),
    include_str!("../cases/edge_auc_zero.json"),
    include_str!("../cases/edge_calibration_reversed.json"),
    include_str!("../cases/edge_delong_against_itself.json"),
    include_str!("../cases/edge_delong_margin_0.json"),
    include_str!("../cases/edge_map_unsorted.json"),
    include_str!("../cases/edge_mcnemar_margin_0.json"),
    include_str!("../cases/edge_meta_all_zero.json"),
    include_str!("../cases/edge_meta_huge.json"),
    include_str!("../cases/edge_meta_identical.json"),
    include_str!("../cases/edge_meta_k1.json"),
    include_str!("../cases/edge_meta_k1_identity.json"),
    include_str!("../cases/edge_meta_k2_identical.json"),
    include_str!("../cases/edge_meta_k3.json"),
    include_str!("../cases/edge_meta_k40.json"),
    include_str!("../cases/edge_meta_unequal.json"),
    include_str!("../cases/edge_moments_far_off.json"),
    include_str!("../cases/edge_multiplicity_missing.json"),
    include_str!("../cases/edge_robust_one_positive.json"),
    include_str!("../cases/edge_seg_share_of_area.json"),
    include_str!("../cases/edge_seg_tolerance_tie.json"),
    include_str!("../cases/edge_shift_identical.json"),
    include_str!("../cases/edge_subgroup_identical.json"),
    include_str!("../cases/edge_xai_negative_zero.json"),
    include_str!("../cases/fairness_sex_age.json"),
    include_str!("../cases/fed_pool_3sites.json"),
    include_str!("../cases/fleiss_synth.json"),
    include_str!("../cases/froc_random40.json"),
    include_str!("../cases/froc_small.json"),
    include_str!("../cases/icc_volumes.json"),
    include_str!("../cases/kappa_2x2.json"),
    include_str!("../cases/kappa_grades4.json"),
    include_str!("../cases/map_small.json"),
    include_str!("../cases/mcnemar_ai_v_reader.json"),
    include_str!("../cases/mcnemar_small.json"),
    include_str!("../cases/meta_auc_8sites.json"),
    include_str!("../cases/meta_auc_k2.json"),
    include_str!("../cases/meta_auc_tau0.json"),
    include_str!("../cases/meta_log_oe_6sites.json"),
    include_str!("../cases/moments_dice.json"),
    include_str!("../cases/mrmc_synth.json"),
    include_str!("../cases/multiclass_3.json"),
    include_str!("../cases/multiplicity_basic.json"),
    include_str!("../cases/robust_noise.json"),
    include_str!("../cases/seg_2d_discs.json"),
    include_str!("../cases/seg_3d_aniso.json"),
    include_str!("../cases/seg_both_empty.json"),
    include_str!("../cases/seg_pred_empty.json"),
    include_str!("../cases/sensitivity_clustered_mixed.json"),
    include_str!("../cases/sensitivity_clustered_pure.json"),
    include_str!("../cases/shift_categorical_vendor.json"),
    include_str!("../cases/shift_scores_10bins.json"),
    include_str!("../cases/spc_pchart_sens.json"),
    include_str!("../cases/spc_shift_down.json"),
    include_str!("../cases/subgroup_10sites.json"),
    include_str!("../cases/xai_localization_2.json"),
];

/// Every case that comes with the program, by name.
///
/// # Panics
///
/// Never in a program whose tests passed: each of these files is read by one.
#[must_use]
pub fn embedded() -> Vec<Case> {
    CASES.iter().map(|text| Case::parse(text).expect("a test reads every embedded case")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
        let files: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
            .collect();
        let embedded: BTreeSet<String> = embedded().into_iter().map(|case| case.id).collect();
        assert_eq!(files, embedded);
    }
}
