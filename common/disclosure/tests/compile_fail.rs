//! What must not type-check, so that no code path leads around the gate.

#[test]
fn nothing_that_leads_around_the_gate_compiles() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
