//! The schema of reports, as it is published.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

const SCHEMA: &str = include_str!("../../schema/report.v1.schema.json");

pub(crate) struct Published {
    schemas: Schemas,
    report: SchemaIndex,
}

impl Published {
    pub(crate) fn read() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let id = schema["$id"].as_str().unwrap().to_owned();
        compiler.add_resource(&id, schema).unwrap();
        let report = compiler.compile(&id, &mut schemas).unwrap();
        Self { schemas, report }
    }

    pub(crate) fn check(&self, report: &Value) -> Result<(), String> {
        self.schemas.validate(report, self.report).map_err(|error| format!("{error:#}"))
    }
}
