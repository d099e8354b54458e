ALTER TABLE operators ADD COLUMN role text NOT NULL DEFAULT 'operator';
COMMENT ON TABLE operators IS 'People who call the coordinator';
COMMENT ON COLUMN operators.role IS 'operator, statistician or reviewer; everybody was an operator before';
