//! The site agent: daemon and steward's commands.
