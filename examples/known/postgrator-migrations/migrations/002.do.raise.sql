update prices set amount = amount + 10;
