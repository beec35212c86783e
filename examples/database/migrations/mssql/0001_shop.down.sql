DROP TABLE sales;
DROP TABLE books;
