//! The gate: from exact evidence to a value that may be shown to a steward.

mod classes;
mod condition_members;
mod conditions;
mod detection;
mod measures;
mod withheld;

pub use withheld::Withheld;

use fedval_study::members::UNLISTED;
use fedval_study::protocol::{StudyProtocol, Table, TableKind};
use fedval_study::result::AttritionCount;
use fedval_study::summary::{BinaryFindings, FailureReason, Findings, GroupSummary};
use fedval_study::{Canonical, Cell, Members, Outcome, ResultHeader, SiteResult, SiteSummary};

use crate::cell_plan::{self, CellPlan, Hidden};
use crate::decision::{Decision, Verdict};
use crate::form;
use crate::rules::dc05_zeros::{self, StructuralZeros};
use crate::rules::dc19_budgets::{self, Asked};
use crate::rules::dc25_marking::Suppression;
use crate::rules::{
    Rule, dc01_closed_schema, dc02_cohort_minimum, dc04_attrition, dc10_means, dc14_per_case,
    dc15_inference, dc16_subgroup_lattice, dc18_earlier_releases, dc24_exact_mode,
};
use crate::{EffectivePolicy, Footprint, History, SiteLocal, Vetted, bound_bits};

/// Everything that a decision rests on.
#[derive(Debug)]
pub struct Evidence<'e> {
    /// What was counted.
    pub summary: &'e SiteLocal<SiteSummary>,
    /// What this site ever answered.
    pub history: &'e SiteLocal<History>,
    /// Now, milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// Seed of noise, fresh and used once.
    pub noise_seed: [u8; 32],
}

/// Applies one policy to the results of one protocol.
#[derive(Debug, Clone)]
pub struct Gate<'p> {
    policy: EffectivePolicy,
    protocol: &'p StudyProtocol,
}

impl<'p> Gate<'p> {
    /// A gate for one job.
    #[must_use]
    pub const fn new(policy: EffectivePolicy, protocol: &'p StudyProtocol) -> Self {
        Self { policy, protocol }
    }

    /// What would be refused whatever the evaluation finds: it need not begin, and how long it takes
    /// tells nothing.
    ///
    /// # Errors
    ///
    /// [`Withheld`] where policy or history refuse the question itself.
    pub fn admits(
        &self,
        header: &ResultHeader,
        history: &SiteLocal<History>,
        now_ms: i64,
    ) -> Result<(), Withheld> {
        self.admits_question()?;
        // Who is in the cohort is not known yet: what counts against patients is held again later.
        self.within_budgets(header, &Members::default(), history.open_on_site(), now_ms)
    }

    /// Whether the policy answers such a question of anybody.
    fn admits_question(&self) -> Result<(), Withheld> {
        let listed = self.policy.subgroup_attributes.as_deref();
        if let Some(attribute) = dc16_subgroup_lattice::unlisted(self.protocol, listed) {
            return Err(Withheld::Attribute { attribute: attribute.to_owned() });
        }
        if self.policy.terms.noise_rho_micro.is_some() && !self.policy.noise_is_chosen {
            return Err(Withheld::ForeignNoise);
        }
        let terms = self.policy.exact_terms.unwrap_or(self.policy.terms);
        let task = &self.protocol.task;
        if !dc15_inference::variance_components_may_leave(&terms) {
            if task.detection().is_some() {
                return Err(Withheld::DetectionNeedsExactCounts);
            }
            if !task.classes().is_empty() || !task.conditions().is_empty() {
                return Err(Withheld::ClassesNeedExactCounts);
            }
        }
        if task.is_of_measures() && terms.noise_rho_micro.is_some() {
            return Err(Withheld::MeasuresHaveNoNoise);
        }
        Ok(())
    }

    /// Vets the evidence of an evaluation.
    ///
    /// # Errors
    ///
    /// [`Withheld`] if nothing but its outcome may leave.
    pub fn vet(
        &self,
        header: ResultHeader,
        evidence: &Evidence<'_>,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        self.admits_question()?;
        let summary = evidence.summary.open_on_site();
        let history = evidence.history.open_on_site();
        if let Some(terms) = self.policy.exact_terms
            && dc24_exact_mode::is_first(&summary.members, history)
        {
            let policy = EffectivePolicy { terms, exact_terms: None, ..self.policy.clone() };
            return Gate { policy, protocol: self.protocol }.vet(header, evidence);
        }
        // Budgets before sizes: `insufficient` is an answer about these patients too.
        self.within_budgets(&header, &summary.members, history, evidence.now_ms)?;
        match &summary.findings {
            Findings::Binary(found) if self.protocol.task.is_binary() => {
                self.vet_binary(header, evidence, found)
            }
            Findings::Detection(found) => self.vet_detection(header, summary, found, history),
            Findings::Classes(found) => self.vet_classes(header, summary, found.as_ref(), history),
            Findings::Conditions(found) => self.vet_conditions(header, summary, found, history),
            Findings::Measures(found) if self.protocol.task.is_of_measures() => {
                self.vet_measures(header, summary, found, history)
            }
            Findings::Binary(_) | Findings::Measures(_) => {
                Err(Withheld::Schema(dc01_closed_schema::SchemaBreach::Task))
            }
        }
    }

    /// Vets what was counted of one condition, within budgets.
    fn vet_binary(
        &self,
        header: ResultHeader,
        evidence: &Evidence<'_>,
        found: &BinaryFindings,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let k = self.policy.terms.k;
        let summary = evidence.summary.open_on_site();
        let history = evidence.history.open_on_site();
        let overall = found
            .overall
            .as_ref()
            .filter(|overall| dc02_cohort_minimum::is_sufficient(overall.by_case.patients, k))
            .ok_or(Withheld::Insufficient)?;
        self.check_members(&summary.members)?;
        let mut decisions = vec![Decision::new("whole cohort", Verdict::Released, Rule::Dc02)];
        let noisy = self.policy.terms.noise_rho_micro.is_some();
        if dc18_earlier_releases::mixes_noise(&summary.members, noisy, history) {
            return Err(Withheld::EarlierReleases);
        }
        let zeros = self.structural_zeros(&summary.members)?;
        let plan = self.plan(&summary.members, history, &zeros)?;
        let outcome = if let Some(rho) = self.policy.terms.noise_rho_micro {
            self.noisy(found, overall, rho, evidence.noise_seed, &mut decisions)?
        } else {
            let attrition = self.attrition(summary, history);
            self.counted((found, &summary.members), overall, &plan, attrition, &mut decisions)?
        };
        let footprint =
            Footprint { members: summary.members.clone(), shown: form::shown(&plan), noisy };
        let vetted = self.within_bits(SiteResult { header, outcome }, decisions, footprint)?;
        Ok(vetted.beside(history.footprints()))
    }

    /// Members stand in the protocol's cells, or the rules could not be applied to them.
    fn check_members(&self, members: &Members) -> Result<(), Withheld> {
        let tables = self.protocol.tables();
        let stands = |(cell, table): (&u16, &Table)| {
            *cell == UNLISTED || usize::from(*cell) < table.categories.len()
        };
        let fits = members.cases.iter().all(|case| {
            case.cells.len() == tables.len()
                && case.cells.iter().zip(&tables).all(stands)
                && (case.patient as usize) < members.patients.len()
        });
        let breach = Withheld::Schema(dc01_closed_schema::SchemaBreach::Subgroups);
        if fits && !members.cases.is_empty() { Ok(()) } else { Err(breach) }
    }

    /// The cells that are empty by what the site says of itself.
    fn structural_zeros(&self, members: &Members) -> Result<StructuralZeros, Withheld> {
        let zeros = dc05_zeros::structural(self.protocol, &self.policy.absent);
        let is_there = |(table, cell): &(usize, usize)| {
            members.cases.iter().any(|case| usize::from(case.cells[*table]) == *cell)
        };
        if let Some((table, cell)) = zeros.iter().copied().find(is_there) {
            let table = &self.protocol.tables()[table];
            let cell = format!("{} = {}", table.name, table.categories[cell]);
            return Err(Withheld::NotAbsent { cell });
        }
        Ok(zeros)
    }

    fn within_budgets(
        &self,
        header: &ResultHeader,
        members: &Members,
        history: &History,
        now_ms: i64,
    ) -> Result<(), Withheld> {
        let asked = Asked {
            study: header.study.clone(),
            protocol: header.protocol,
            model: header.model,
            now_ms,
            rho_micro: self.policy.terms.noise_rho_micro.unwrap_or(0).into(),
        };
        Ok(dc19_budgets::check(&asked, &history.charges(members), &self.policy.budgets)?)
    }

    /// Which cells are shown. With noise, all of them: the noise protects each.
    fn plan(
        &self,
        members: &Members,
        history: &History,
        zeros: &StructuralZeros,
    ) -> Result<CellPlan, Withheld> {
        let tables = self.protocol.tables();
        let terms = &self.policy.terms;
        if terms.noise_rho_micro.is_some() {
            return Ok(tables.iter().map(|t| vec![None; t.categories.len()]).collect());
        }
        let earlier: Vec<&Footprint> = history.exact().map(|(_, footprint)| footprint).collect();
        let mut plan = cell_plan::plan(&tables, members, &earlier, zeros, terms.k)
            .map_err(|_| Withheld::EarlierReleases)?;
        // Members stand under both labels where a structure is looked for: who has it cannot be seen, and counts of those
        // who have and who have not would be had by subtraction, however many patients are between.
        let hides_answers = !dc15_inference::variance_components_may_leave(terms)
            || self.protocol.task.structure().is_some();
        if hides_answers {
            let shown = form::shown(&plan);
            let own = Footprint { members: members.clone(), shown, noisy: false };
            if dc18_earlier_releases::responses_meet_others(&own, history) {
                return Err(Withheld::EarlierReleases);
            }
        }
        if terms.is_rounded() {
            hide_crossings(&tables, &mut plan);
        }
        Ok(plan)
    }

    /// Failed patients are members of no footprint: beside an earlier release about some of these
    /// patients, a change of one could not be seen here, so nothing is said of them.
    fn attrition(&self, summary: &SiteSummary, history: &History) -> Vec<AttritionCount> {
        let mut rows = dc04_attrition::shown(&summary.failures, self.policy.terms.k);
        if dc18_earlier_releases::meets_others(&summary.members, history) {
            rows.clear();
            rows.push(AttritionCount { reason: FailureReason::Other, patients: Cell::Suppressed });
        }
        rows
    }

    fn counted(
        &self,
        (found, members): (&BinaryFindings, &Members),
        overall: &GroupSummary,
        plan: &CellPlan,
        attrition: Vec<AttritionCount>,
        decisions: &mut Vec<Decision>,
    ) -> Result<Outcome, Withheld> {
        let terms = self.policy.terms;
        let brier = overall.by_case.probabilities.brier_pico;
        if terms.zeros_withheld && dc10_means::is_dominated(brier, overall.two_largest_brier_pico) {
            return Err(Withheld::Dominated);
        }
        let several = overall.patients_with_several;
        let by_patient = dc14_per_case::sums_by_patient_are_safe(several, terms.k);
        let whole = form::chosen("whole cohort", overall, by_patient, decisions);
        let shapes = self.protocol.tables();
        let mut tables = Vec::new();
        let plans = found.dimensions.iter().zip(plan).zip(&shapes).enumerate();
        for (index, ((dimension, plan), shape)) in plans {
            let repeats = form::Repeats {
                is_crossing: matches!(shape.kind, TableKind::Crossing { .. }),
                straddling: dc14_per_case::straddling(members, index),
            };
            tables.push(form::visible(dimension, plan, repeats, terms.k, decisions));
        }
        note_attrition(&attrition, decisions);
        let crossings = shapes.iter().map(|shape| matches!(shape.kind, TableKind::Crossing { .. }));
        if !dc15_inference::variance_components_may_leave(&terms) {
            let tables: Vec<_> = tables.into_iter().zip(crossings).collect();
            let release = form::coarse::release(terms, &attrition, &whole, &tables, decisions);
            dc01_closed_schema::check_coarse(&release, self.protocol).map_err(Withheld::Schema)?;
            return Ok(Outcome::ReleasedCoarse(Box::new(release)));
        }
        let release = form::exact::release(terms, attrition, &whole, &tables);
        dc01_closed_schema::check(&release, self.protocol).map_err(Withheld::Schema)?;
        if !dc14_per_case::rests_on_groups(&release, terms.k) {
            return Err(Withheld::PerCase);
        }
        Ok(Outcome::Released(Box::new(release)))
    }

    fn noisy(
        &self,
        found: &BinaryFindings,
        overall: &GroupSummary,
        rho: u32,
        seed: [u8; 32],
        decisions: &mut Vec<Decision>,
    ) -> Result<Outcome, Withheld> {
        let (terms, tables) = (self.policy.terms, &found.dimensions);
        let release = form::noisy::release(terms, rho, &overall.histogram, tables, seed)
            .ok_or(Withheld::Noise)?;
        dc01_closed_schema::check_noisy(&release, self.protocol).map_err(Withheld::Schema)?;
        decisions[0].verdict = Verdict::Noisy;
        let cells = release.subgroups.iter().map(|cell| {
            let quantity = format!("{} = {}", cell.dimension, cell.category);
            Decision::new(quantity, Verdict::Noisy, Rule::Dc19)
        });
        decisions.extend(cells);
        let failed = Verdict::Withheld(Suppression::Primary);
        decisions.push(Decision::new("failed cases", failed, Rule::Dc04));
        Ok(Outcome::ReleasedNoisy(Box::new(release)))
    }

    fn within_bits(
        &self,
        result: SiteResult,
        decisions: Vec<Decision>,
        footprint: Footprint,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let (bits, budget) = (bound_bits(&result), self.policy.budgets.bits_per_job);
        if bits > budget {
            return Err(Withheld::Budget { bits, budget });
        }
        let value = Canonical::new(result).map_err(Withheld::NotCanonical)?;
        let rho = self.policy.terms.noise_rho_micro.unwrap_or(0).into();
        Ok(Vetted::new(value, decisions, Some(SiteLocal::new(footprint)), rho))
    }
}

/// Under rounding a crossing would have to add up to two sets of rounded margins (DC-07): it stays.
fn hide_crossings(tables: &[Table], plan: &mut CellPlan) {
    for (table, cells) in tables.iter().zip(plan) {
        if matches!(table.kind, TableKind::Crossing { .. }) {
            let hidden = Hidden { why: Suppression::Complementary, rule: Rule::Dc07 };
            for cell in cells {
                cell.get_or_insert(hidden);
            }
        }
    }
}

fn note_attrition(attrition: &[AttritionCount], decisions: &mut Vec<Decision>) {
    for row in attrition {
        let verdict = match row.patients {
            Cell::Released(_) => Verdict::Released,
            Cell::Suppressed => Verdict::Withheld(Suppression::Primary),
        };
        let quantity = format!("failed cases, {:?}", row.reason);
        decisions.push(Decision::new(quantity, verdict, Rule::Dc04));
    }
}
