-- Applications, their batches, samples and containers, and the custody ledger.

CREATE TABLE number_series (
    series TEXT NOT NULL,
    year INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (series, year),
    CHECK (last >= 1)
) STRICT;

CREATE TABLE application (
    id TEXT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    business TEXT NOT NULL,
    purpose TEXT NOT NULL,
    pre_submission INTEGER NOT NULL CHECK (pre_submission IN (0, 1)),
    standard_verification INTEGER NOT NULL CHECK (standard_verification IN (0, 1)),
    institute_id TEXT NOT NULL REFERENCES institute (id),
    applicant_id TEXT NOT NULL REFERENCES applicant (id),
    product_id TEXT NOT NULL REFERENCES product (id),
    specification_id TEXT NOT NULL REFERENCES specification (id),
    state TEXT NOT NULL,
    accepted_on TEXT CHECK (accepted_on IS NULL OR date(accepted_on) IS accepted_on),
    arrived_at_port_on TEXT CHECK (arrived_at_port_on IS NULL OR date(arrived_at_port_on) IS arrived_at_port_on),
    notice_received_on TEXT CHECK (notice_received_on IS NULL OR date(notice_received_on) IS notice_received_on),
    sampled_on TEXT CHECK (sampled_on IS NULL OR date(sampled_on) IS sampled_on),
    received_on TEXT CHECK (received_on IS NULL OR date(received_on) IS received_on),
    acceptance_number TEXT,
    particulars TEXT NOT NULL CHECK (json_valid(particulars)),
    lane TEXT,
    lane_rank INTEGER NOT NULL,
    determination TEXT CHECK (determination IS NULL OR json_valid(determination)),
    state_reason TEXT,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (business IN ('drug_registration','device_registration','lot_release','port_entry')),
    CHECK (state IN ('draft','accepted','refused','testing','tested','reported','withdrawn','voided')),
    CHECK (state IN ('draft','refused','withdrawn','voided') OR (accepted_on IS NOT NULL AND determination IS NOT NULL)),
    CHECK (state NOT IN ('refused','withdrawn','voided') OR state_reason IS NOT NULL)
) STRICT;
CREATE INDEX application_state_lane_rank ON application (state, lane_rank);

CREATE TABLE application_clock (
    application_id TEXT NOT NULL REFERENCES application (id),
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    limit_days INTEGER NOT NULL,
    starts TEXT NOT NULL CHECK (date(starts) IS starts),
    due TEXT NOT NULL CHECK (date(due) IS due),
    provisional INTEGER NOT NULL CHECK (provisional IN (0, 1)),
    provisions TEXT NOT NULL CHECK (json_valid(provisions)),
    PRIMARY KEY (application_id, name),
    CHECK (unit IN ('working_day','calendar_day')),
    CHECK (due >= starts)
) STRICT;

CREATE TABLE batch (
    id TEXT NOT NULL PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES application (id),
    position INTEGER NOT NULL,
    lot_number TEXT NOT NULL,
    produced_on TEXT,
    expires_on TEXT,
    lot_size TEXT,
    UNIQUE (application_id, lot_number),
    UNIQUE (application_id, position)
) STRICT;

CREATE TABLE sample (
    id TEXT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    application_id TEXT NOT NULL REFERENCES application (id),
    batch_id TEXT NOT NULL REFERENCES batch (id),
    state TEXT NOT NULL,
    received_at TEXT NOT NULL CHECK (received_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    received_by TEXT NOT NULL REFERENCES account (id),
    temperature TEXT CHECK (temperature IS NULL OR (temperature GLOB '*[0-9]*' AND temperature NOT GLOB '*[^0-9.-]*')),
    seals_intact INTEGER NOT NULL CHECK (seals_intact IN (0, 1)),
    packages INTEGER NOT NULL,
    packages_intact INTEGER NOT NULL CHECK (packages_intact IN (0, 1)),
    label_matches INTEGER NOT NULL CHECK (label_matches IN (0, 1)),
    condition_note TEXT NOT NULL,
    state_reason TEXT,
    full_test_containers INTEGER NOT NULL,
    required_containers INTEGER NOT NULL,
    CHECK (state IN ('received','refused','voided')),
    CHECK (state = 'received' OR state_reason IS NOT NULL),
    CHECK (full_test_containers >= 0 AND required_containers >= 0)
) STRICT;
CREATE INDEX sample_application_id ON sample (application_id);

CREATE TABLE container (
    id TEXT NOT NULL PRIMARY KEY,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    position INTEGER NOT NULL,
    label_code TEXT NOT NULL UNIQUE,
    portion TEXT NOT NULL,
    UNIQUE (sample_id, position),
    CHECK (portion IN ('received','test','retention','returned'))
) STRICT;

CREATE TABLE custody_balance (
    sample_id TEXT NOT NULL REFERENCES sample (id),
    place TEXT NOT NULL,
    balance INTEGER NOT NULL,
    PRIMARY KEY (sample_id, place),
    CHECK (place IN ('supplied','received','test_portion','retention','consumed','returned','destroyed')),
    CHECK (balance >= 0 OR place = 'supplied')
) STRICT;

CREATE TABLE custody_entry (
    id TEXT NOT NULL PRIMARY KEY,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    container_id TEXT REFERENCES container (id),
    from_place TEXT NOT NULL,
    to_place TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    reason TEXT NOT NULL,
    moved_by TEXT NOT NULL REFERENCES account (id),
    moved_at TEXT NOT NULL CHECK (moved_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (quantity > 0),
    CHECK (from_place <> to_place)
) STRICT;
CREATE INDEX custody_entry_sample_id ON custody_entry (sample_id);
CREATE TRIGGER custody_entry_no_update BEFORE UPDATE ON custody_entry
BEGIN SELECT RAISE(ABORT, 'custody_entry is append-only'); END;
CREATE TRIGGER custody_entry_no_delete BEFORE DELETE ON custody_entry
BEGIN SELECT RAISE(ABORT, 'custody_entry is append-only'); END;

CREATE TABLE idempotency_key (
    account_id TEXT NOT NULL REFERENCES account (id),
    request_key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    PRIMARY KEY (account_id, request_key)
) STRICT;

CREATE TRIGGER application_no_delete BEFORE DELETE ON application
BEGIN SELECT RAISE(ABORT, 'application is never deleted'); END;

CREATE TRIGGER batch_no_delete BEFORE DELETE ON batch
BEGIN SELECT RAISE(ABORT, 'batch is never deleted'); END;

CREATE TRIGGER sample_no_delete BEFORE DELETE ON sample
BEGIN SELECT RAISE(ABORT, 'sample is never deleted'); END;

CREATE TRIGGER container_no_delete BEFORE DELETE ON container
BEGIN SELECT RAISE(ABORT, 'container is never deleted'); END;

CREATE TRIGGER number_series_no_delete BEFORE DELETE ON number_series
BEGIN SELECT RAISE(ABORT, 'number_series is never deleted'); END;

CREATE TRIGGER custody_balance_no_delete BEFORE DELETE ON custody_balance
BEGIN SELECT RAISE(ABORT, 'custody_balance is never deleted'); END;

-- Numbers have no gaps: a series starts at 1 and moves by 1, in the transaction that uses the number.

CREATE TRIGGER number_series_starts_at_one BEFORE INSERT ON number_series
WHEN NEW.last <> 1
BEGIN SELECT RAISE(ABORT, 'a number series starts at 1'); END;

CREATE TRIGGER number_series_moves_by_one BEFORE UPDATE ON number_series
WHEN NEW.last <> OLD.last + 1 OR NEW.series IS NOT OLD.series OR NEW.year IS NOT OLD.year
BEGIN SELECT RAISE(ABORT, 'a number series moves by 1'); END;

CREATE TRIGGER application_identity BEFORE UPDATE ON application
WHEN NEW.number IS NOT OLD.number OR NEW.business IS NOT OLD.business OR NEW.institute_id IS NOT OLD.institute_id OR NEW.applicant_id IS NOT OLD.applicant_id OR NEW.product_id IS NOT OLD.product_id OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state)
BEGIN SELECT RAISE(ABORT, 'an application keeps its identity and its end'); END;

CREATE TRIGGER application_accepted BEFORE UPDATE ON application
WHEN OLD.accepted_on IS NOT NULL AND (NEW.accepted_on IS NOT OLD.accepted_on OR NEW.specification_id IS NOT OLD.specification_id OR NEW.purpose IS NOT OLD.purpose OR NEW.determination IS NOT OLD.determination OR NEW.lane IS NOT OLD.lane)
BEGIN SELECT RAISE(ABORT, 'what was accepted stays as accepted'); END;

CREATE TRIGGER sample_identity BEFORE UPDATE ON sample
WHEN NEW.number IS NOT OLD.number OR NEW.application_id IS NOT OLD.application_id OR NEW.batch_id IS NOT OLD.batch_id OR NEW.received_at IS NOT OLD.received_at OR NEW.received_by IS NOT OLD.received_by OR NEW.temperature IS NOT OLD.temperature OR NEW.seals_intact IS NOT OLD.seals_intact OR NEW.packages IS NOT OLD.packages OR NEW.packages_intact IS NOT OLD.packages_intact OR NEW.label_matches IS NOT OLD.label_matches OR NEW.condition_note IS NOT OLD.condition_note OR NEW.full_test_containers IS NOT OLD.full_test_containers OR NEW.required_containers IS NOT OLD.required_containers OR OLD.state <> 'received'
BEGIN SELECT RAISE(ABORT, 'a sample keeps its number and what was seen on receipt'); END;

CREATE TRIGGER container_identity BEFORE UPDATE ON container
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.position IS NOT OLD.position OR NEW.label_code IS NOT OLD.label_code
BEGIN SELECT RAISE(ABORT, 'a container keeps its label'); END;

-- The ledger: every entry moves its quantity from one place to another, so the sum over the places is
-- always nothing; no place but the outside may go below nothing; only the ledger moves a balance.
CREATE TRIGGER custody_entry_posts AFTER INSERT ON custody_entry
BEGIN
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
END;
CREATE TRIGGER custody_balance_opens_empty BEFORE INSERT ON custody_balance
WHEN NEW.balance <> 0
BEGIN SELECT RAISE(ABORT, 'a custody balance opens empty'); END;
CREATE TRIGGER custody_balance_follows_ledger BEFORE UPDATE ON custody_balance
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.place IS NOT OLD.place OR NEW.balance <> (
    SELECT coalesce(sum(CASE WHEN to_place = NEW.place THEN quantity ELSE -quantity END), 0) FROM custody_entry
    WHERE sample_id = NEW.sample_id AND NEW.place IN (from_place, to_place))
BEGIN SELECT RAISE(ABORT, 'only the custody ledger moves a balance'); END;
CREATE TRIGGER custody_entry_container BEFORE INSERT ON custody_entry
WHEN NEW.container_id IS NOT NULL AND (NEW.quantity <> 1 OR (SELECT sample_id FROM container WHERE id = NEW.container_id) IS NOT NEW.sample_id)
BEGIN SELECT RAISE(ABORT, 'an entry that names a container moves that one, of its own sample'); END;
