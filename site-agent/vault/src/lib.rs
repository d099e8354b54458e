//! The agent's durable state: ledger, journal, checkpoints, outbox.
