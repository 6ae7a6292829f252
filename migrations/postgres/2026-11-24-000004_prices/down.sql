DROP TABLE vouchers;
DROP TABLE line_discounts;
DROP TABLE price_entries;
DROP TABLE article_packaging;
DROP TABLE article_tier_prices;
