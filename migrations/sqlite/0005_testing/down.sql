DROP TABLE out_of_limit_decision;
DROP TABLE result;
DROP TABLE reading;
DROP TABLE test_task;
