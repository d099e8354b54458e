//! The gate: the rules that decide what may leave a site, and the types that only they can mint.
//!
//! A value goes `SiteLocal<SiteSummary>` → [`Gate::vet`] → [`Vetted`] → a steward's approval and the
//! ledger's commit → [`Releasable`]. No other way leads out.

mod bits;
pub mod cell_plan;
mod decision;
mod form;
mod gate;
mod ledger;
mod policy;
pub mod profiles;
mod releasable;
pub mod rules;
mod site_local;
mod vetted;

pub use bits::bound_bits;
pub use decision::{Decision, Verdict};
pub use gate::{Evidence, Gate, Withheld};
pub use ledger::{Earlier, Footprint, FootprintDamaged, History};
pub use policy::{DEFAULT_BIT_BUDGET, EffectivePolicy, PolicyError, SitePolicy, floor};
pub use releasable::{Committed, Ledger, Releasable, ReleaseError};
pub use rules::dc25_marking::Suppression;
pub use site_local::SiteLocal;
pub use vetted::{NoAggregates, Vetted};
