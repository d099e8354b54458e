//! The gate: the rules that decide what may leave a site, and the types that only they can mint.
//!
//! A value goes `SiteLocal<SiteSummary>` → [`Gate::vet`] → [`Vetted`] → a steward's approval and the
//! ledger's commit → [`Releasable`]. No other way leads out.

mod bits;
mod gate;
mod policy;
mod releasable;
pub mod rules;
mod site_local;

pub use bits::bound_bits;
pub use gate::{Decision, Gate, NoAggregates, Verdict, Vetted, Withheld};
pub use policy::{DEFAULT_BIT_BUDGET, EffectivePolicy, PolicyError, SitePolicy};
pub use releasable::{Committed, Ledger, Releasable, ReleaseError};
pub use site_local::SiteLocal;
