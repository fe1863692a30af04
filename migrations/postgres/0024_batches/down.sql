DROP TRIGGER sample_of_withdrawn_batch ON sample;
DROP TRIGGER batch_withdrawn_with_sample ON batch;
DROP FUNCTION sample_of_withdrawn_batch();
DROP FUNCTION batch_withdrawn_with_sample();
ALTER TABLE batch DROP COLUMN withdrawn_because;
ALTER TABLE batch DROP COLUMN withdrawn_at;
