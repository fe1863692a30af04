DROP TABLE authorisation;
DROP TABLE test_item;
DROP TABLE specification;
DROP TABLE product_trait;
DROP TABLE product;
