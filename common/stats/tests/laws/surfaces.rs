//! Masks.

use fedval_stats::segmentation::{Masks, overlap, surfel, voxel_border};
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;

fn mask(shape: &'static [usize]) -> impl Strategy<Value = ArrayD<bool>> {
    let size = shape.iter().product::<usize>();
    prop::collection::vec(any::<bool>(), size)
        .prop_map(move |voxels| ArrayD::from_shape_vec(IxDyn(shape), voxels).unwrap())
}

proptest! {
    /// Which mask is the reference matters neither to overlap nor to distances.
    #[test]
    fn exchanging_the_masks_changes_nothing(a in mask(&[4, 5, 3]), b in mask(&[4, 5, 3])) {
        let spacing = [2.5, 0.8, 1.0];
        let there = Masks::new(&a, &b, &spacing).unwrap();
        let back = Masks::new(&b, &a, &spacing).unwrap();
        prop_assert_eq!(overlap(&there).dice(), overlap(&back).dice());
        for measure in [voxel_border, surfel] {
            let (Ok(there), Ok(back)) = (measure(&there), measure(&back)) else { continue };
            prop_assert!((there.hausdorff() - back.hausdorff()).abs() < 1e-12);
            prop_assert!((there.average_symmetric() - back.average_symmetric()).abs() < 1e-12);
            let nsd = |distances: &fedval_stats::segmentation::SurfaceDistances| {
                distances.normalised_surface_dice(1.0).unwrap()
            };
            prop_assert!((nsd(&there) - nsd(&back)).abs() < 1e-12);
        }
    }

    /// A mask agrees with itself, and a percentile is never larger than the largest distance.
    #[test]
    fn distances_are_ordered(a in mask(&[6, 5]), b in mask(&[6, 5])) {
        let same = Masks::new(&a, &a, &[0.7, 0.7]).unwrap();
        let other = Masks::new(&a, &b, &[0.7, 0.7]).unwrap();
        for measure in [voxel_border, surfel] {
            if let Ok(distances) = measure(&same) {
                prop_assert!(distances.hausdorff().abs() < 1e-12);
            }
            if let Ok(distances) = measure(&other) {
                prop_assert!(distances.hausdorff_percentile(0.95).unwrap() <= distances.hausdorff());
                prop_assert!(distances.average_symmetric() <= distances.hausdorff());
            }
        }
    }

    /// Twice the spacing is twice the distance.
    #[test]
    fn distances_scale_with_the_spacing(a in mask(&[3, 4, 4]), b in mask(&[3, 4, 4])) {
        let near = Masks::new(&a, &b, &[1.0, 2.0, 0.5]).unwrap();
        let far = Masks::new(&a, &b, &[2.0, 4.0, 1.0]).unwrap();
        for measure in [voxel_border, surfel] {
            let (Ok(near), Ok(far)) = (measure(&near), measure(&far)) else { continue };
            prop_assert!((2.0 * near.hausdorff() - far.hausdorff()).abs() < 1e-12);
        }
    }
}
