DROP TABLE audit_end;
DROP FUNCTION audit_end_grows();
DROP TABLE audit_rows;
ALTER TABLE audit_entry DROP COLUMN rows_sha256;
CREATE SEQUENCE audit_entry_seq;
SELECT setval('audit_entry_seq', MAX(seq)) FROM audit_entry HAVING MAX(seq) IS NOT NULL;
CREATE FUNCTION audit_next_seq() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN PERFORM txid_current(); RETURN nextval('audit_entry_seq'); END $$;
ALTER TABLE audit_entry ALTER COLUMN seq SET DEFAULT audit_next_seq();
DO $$
DECLARE made record;
BEGIN
    FOR made IN SELECT tgname, tgrelid::regclass AS of FROM pg_trigger WHERE tgname LIKE 'touched\_%' LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made.tgname, made.of);
    END LOOP;
    FOR made IN SELECT proname FROM pg_proc WHERE proname LIKE 'touched\_%' LOOP
        EXECUTE format('DROP FUNCTION %I()', made.proname);
    END LOOP;
END $$;
