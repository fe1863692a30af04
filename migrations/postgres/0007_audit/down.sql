DROP TABLE audit_seal;
DROP TABLE audit_entry;
DROP FUNCTION audit_next_seq();
DROP SEQUENCE audit_entry_seq;
