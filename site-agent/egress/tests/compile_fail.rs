//! What must not type-check, so that nothing leaves but what the ledger holds.

#[test]
fn nothing_but_a_releasable_result_can_be_sent() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
