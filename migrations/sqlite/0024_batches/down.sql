DROP TRIGGER sample_of_withdrawn_batch;
DROP TRIGGER batch_withdrawn_with_sample;
ALTER TABLE batch DROP COLUMN withdrawn_because;
ALTER TABLE batch DROP COLUMN withdrawn_at;
