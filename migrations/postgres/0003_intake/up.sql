-- Applications, their batches, samples and containers, and the custody ledger.

CREATE TABLE number_series (
    series TEXT NOT NULL,
    year BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (series, year),
    CHECK (last >= 1)
);

CREATE TABLE application (
    id TEXT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    business TEXT NOT NULL,
    purpose TEXT NOT NULL,
    pre_submission BOOLEAN NOT NULL,
    standard_verification BOOLEAN NOT NULL,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    applicant_id TEXT NOT NULL REFERENCES applicant (id),
    product_id TEXT NOT NULL REFERENCES product (id),
    specification_id TEXT NOT NULL REFERENCES specification (id),
    state TEXT NOT NULL,
    accepted_on day,
    arrived_at_port_on day,
    notice_received_on day,
    sampled_on day,
    received_on day,
    acceptance_number TEXT,
    particulars TEXT NOT NULL CHECK (particulars::json IS NOT NULL),
    lane TEXT,
    lane_rank BIGINT NOT NULL,
    determination TEXT CHECK (determination IS NULL OR determination::json IS NOT NULL),
    state_reason TEXT,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at instant NOT NULL,
    CHECK (business IN ('drug_registration','device_registration','lot_release','port_entry')),
    CHECK (state IN ('draft','accepted','refused','testing','tested','reported','withdrawn','voided')),
    CHECK (state IN ('draft','refused','withdrawn','voided') OR (accepted_on IS NOT NULL AND determination IS NOT NULL)),
    CHECK (state NOT IN ('refused','withdrawn','voided') OR state_reason IS NOT NULL)
);
CREATE INDEX application_state_lane_rank ON application (state, lane_rank);

CREATE TABLE application_clock (
    application_id TEXT NOT NULL REFERENCES application (id),
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    limit_days BIGINT NOT NULL,
    starts day NOT NULL,
    due day NOT NULL,
    provisional BOOLEAN NOT NULL,
    provisions TEXT NOT NULL CHECK (provisions::json IS NOT NULL),
    PRIMARY KEY (application_id, name),
    CHECK (unit IN ('working_day','calendar_day')),
    CHECK (due >= starts)
);

CREATE TABLE batch (
    id TEXT NOT NULL PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES application (id),
    position BIGINT NOT NULL,
    lot_number TEXT NOT NULL,
    produced_on TEXT,
    expires_on TEXT,
    lot_size TEXT,
    UNIQUE (application_id, lot_number),
    UNIQUE (application_id, position)
);

CREATE TABLE sample (
    id TEXT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    application_id TEXT NOT NULL REFERENCES application (id),
    batch_id TEXT NOT NULL REFERENCES batch (id),
    state TEXT NOT NULL,
    received_at instant NOT NULL,
    received_by TEXT NOT NULL REFERENCES account (id),
    temperature decimal_text,
    seals_intact BOOLEAN NOT NULL,
    packages BIGINT NOT NULL,
    packages_intact BOOLEAN NOT NULL,
    label_matches BOOLEAN NOT NULL,
    condition_note TEXT NOT NULL,
    state_reason TEXT,
    full_test_containers BIGINT NOT NULL,
    required_containers BIGINT NOT NULL,
    CHECK (state IN ('received','refused','voided')),
    CHECK (state = 'received' OR state_reason IS NOT NULL),
    CHECK (full_test_containers >= 0 AND required_containers >= 0)
);
CREATE INDEX sample_application_id ON sample (application_id);

CREATE TABLE container (
    id TEXT NOT NULL PRIMARY KEY,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    position BIGINT NOT NULL,
    label_code TEXT NOT NULL UNIQUE,
    portion TEXT NOT NULL,
    UNIQUE (sample_id, position),
    CHECK (portion IN ('received','test','retention','returned'))
);

CREATE TABLE custody_balance (
    sample_id TEXT NOT NULL REFERENCES sample (id),
    place TEXT NOT NULL,
    balance BIGINT NOT NULL,
    PRIMARY KEY (sample_id, place),
    CHECK (place IN ('supplied','received','test_portion','retention','consumed','returned','destroyed')),
    CHECK (balance >= 0 OR place = 'supplied')
);

CREATE TABLE custody_entry (
    id TEXT NOT NULL PRIMARY KEY,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    container_id TEXT REFERENCES container (id),
    from_place TEXT NOT NULL,
    to_place TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    reason TEXT NOT NULL,
    moved_by TEXT NOT NULL REFERENCES account (id),
    moved_at instant NOT NULL,
    CHECK (quantity > 0),
    CHECK (from_place <> to_place)
);
CREATE INDEX custody_entry_sample_id ON custody_entry (sample_id);
CREATE TRIGGER custody_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON custody_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE idempotency_key (
    account_id TEXT NOT NULL REFERENCES account (id),
    request_key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at instant NOT NULL,
    PRIMARY KEY (account_id, request_key)
);

CREATE TRIGGER application_no_delete BEFORE DELETE OR TRUNCATE ON application
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER batch_no_delete BEFORE DELETE OR TRUNCATE ON batch
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER sample_no_delete BEFORE DELETE OR TRUNCATE ON sample
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER container_no_delete BEFORE DELETE OR TRUNCATE ON container
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER number_series_no_delete BEFORE DELETE OR TRUNCATE ON number_series
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER custody_balance_no_delete BEFORE DELETE OR TRUNCATE ON custody_balance
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Numbers have no gaps: a series starts at 1 and moves by 1, in the transaction that uses the number.

CREATE FUNCTION number_series_starts_at_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last <> 1 THEN
        RAISE EXCEPTION 'a number series starts at 1' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER number_series_starts_at_one BEFORE INSERT ON number_series FOR EACH ROW EXECUTE FUNCTION number_series_starts_at_one();

CREATE FUNCTION number_series_moves_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last <> OLD.last + 1 OR NEW.series IS DISTINCT FROM OLD.series OR NEW.year IS DISTINCT FROM OLD.year THEN
        RAISE EXCEPTION 'a number series moves by 1' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER number_series_moves_by_one BEFORE UPDATE ON number_series FOR EACH ROW EXECUTE FUNCTION number_series_moves_by_one();

CREATE FUNCTION application_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.business IS DISTINCT FROM OLD.business OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.applicant_id IS DISTINCT FROM OLD.applicant_id OR NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state) THEN
        RAISE EXCEPTION 'an application keeps its identity and its end' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER application_identity BEFORE UPDATE ON application FOR EACH ROW EXECUTE FUNCTION application_identity();

CREATE FUNCTION application_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.accepted_on IS NOT NULL AND (NEW.accepted_on IS DISTINCT FROM OLD.accepted_on OR NEW.specification_id IS DISTINCT FROM OLD.specification_id OR NEW.purpose IS DISTINCT FROM OLD.purpose OR NEW.determination IS DISTINCT FROM OLD.determination OR NEW.lane IS DISTINCT FROM OLD.lane) THEN
        RAISE EXCEPTION 'what was accepted stays as accepted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER application_accepted BEFORE UPDATE ON application FOR EACH ROW EXECUTE FUNCTION application_accepted();

CREATE FUNCTION sample_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.batch_id IS DISTINCT FROM OLD.batch_id OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.received_by IS DISTINCT FROM OLD.received_by OR NEW.temperature IS DISTINCT FROM OLD.temperature OR NEW.seals_intact IS DISTINCT FROM OLD.seals_intact OR NEW.packages IS DISTINCT FROM OLD.packages OR NEW.packages_intact IS DISTINCT FROM OLD.packages_intact OR NEW.label_matches IS DISTINCT FROM OLD.label_matches OR NEW.condition_note IS DISTINCT FROM OLD.condition_note OR NEW.full_test_containers IS DISTINCT FROM OLD.full_test_containers OR NEW.required_containers IS DISTINCT FROM OLD.required_containers OR OLD.state <> 'received' THEN
        RAISE EXCEPTION 'a sample keeps its number and what was seen on receipt' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sample_identity BEFORE UPDATE ON sample FOR EACH ROW EXECUTE FUNCTION sample_identity();

CREATE FUNCTION container_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.label_code IS DISTINCT FROM OLD.label_code THEN
        RAISE EXCEPTION 'a container keeps its label' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER container_identity BEFORE UPDATE ON container FOR EACH ROW EXECUTE FUNCTION container_identity();

-- The ledger: every entry moves its quantity from one place to another, so the sum over the places is
-- always nothing; no place but the outside may go below nothing; only the ledger moves a balance.
CREATE FUNCTION custody_entry_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.container_id IS NOT NULL AND (NEW.quantity <> 1 OR NOT EXISTS (
        SELECT 1 FROM container WHERE id = NEW.container_id AND sample_id = NEW.sample_id)) THEN
        RAISE EXCEPTION 'an entry that names a container moves that one, of its own sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_entry_posts BEFORE INSERT ON custody_entry FOR EACH ROW EXECUTE FUNCTION custody_entry_posts();
CREATE FUNCTION custody_balance_follows_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'only the custody ledger moves a balance' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_balance_follows_ledger BEFORE INSERT OR UPDATE ON custody_balance FOR EACH ROW EXECUTE FUNCTION custody_balance_follows_ledger();
