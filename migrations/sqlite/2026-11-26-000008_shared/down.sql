DROP TABLE run_rejected;
DROP TABLE spooled_pieces;
DROP TABLE spooled;
