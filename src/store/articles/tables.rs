//! The tables that articles are kept in, as many rows are put into them.

use crate::store::bulk::{Column, Table};
use crate::store::copied::{Straight, straight};
use crate::store::schema::{
    article_attributes, article_axes, article_axis_values, article_categories, article_media, article_packaging,
    article_relations, article_stocks, article_texts, article_tier_prices, articles,
};

pub(super) const ARTICLES: Table = Table {
    name: "articles",
    columns: &[
        Column::Text("sku"),
        Column::Text("sku_key"),
        Column::Text("manufacturer"),
        Column::Text("manufacturer_number"),
        Column::Text("gtin"),
        Column::Text("unit"),
        Column::Text("tax_class"),
        Column::Text("weight"),
        Column::Text("length"),
        Column::Text("width"),
        Column::Text("height"),
        Column::Text("list_price"),
        Column::Text("list_currency"),
        Column::Boolean("list_gross"),
        Column::Text("special_price"),
        Column::Text("special_currency"),
        Column::Boolean("special_gross"),
        Column::Time("special_from"),
        Column::Time("special_until"),
        Column::Text("price_group"),
        Column::Text("discount_group"),
        Column::Text("accounting_group"),
        Column::Boolean("active"),
        Column::Time("active_from"),
        Column::Time("active_until"),
        Column::Text("availability"),
        Column::Text("delivery_time"),
        Column::Text("variant_of"),
        Column::Integer("version"),
        Column::Time("changed_at"),
        Column::Text("text_digest"),
    ],
    key: &["sku_key"],
};

/// The straight way into them, in the order of [`ARTICLES`].
pub(super) const STRAIGHT: Straight = straight!(
    articles: sku sku_key manufacturer manufacturer_number gtin unit tax_class weight length width height list_price list_currency list_gross special_price special_currency special_gross special_from special_until price_group discount_group accounting_group active active_from active_until availability delivery_time variant_of version changed_at text_digest
);

const TEXTS: Table = Table {
    name: "article_texts",
    columns: &[Column::Integer("article_id"), Column::Text("kind"), Column::Text("language"), Column::Text("text")],
    key: &[],
};
const CATEGORIES: Table = Table {
    name: "article_categories",
    columns: &[Column::Integer("article_id"), Column::Integer("category_id"), Column::Integer("position")],
    key: &[],
};
const STOCKS: Table = Table {
    name: "article_stocks",
    columns: &[Column::Integer("article_id"), Column::Text("warehouse"), Column::Text("quantity")],
    key: &[],
};
const AXES: Table = Table {
    name: "article_axes",
    columns: &[Column::Integer("article_id"), Column::Integer("position"), Column::Text("axis")],
    key: &[],
};
const AXIS_VALUES: Table = Table {
    name: "article_axis_values",
    columns: &[Column::Integer("article_id"), Column::Integer("position"), Column::Text("axis"), Column::Text("value")],
    key: &[],
};
const ATTRIBUTES: Table = Table {
    name: "article_attributes",
    columns: &[
        Column::Integer("article_id"),
        Column::Integer("position"),
        Column::Text("code"),
        Column::Text("value"),
        Column::Number("number"),
    ],
    key: &[],
};
const RELATIONS: Table = Table {
    name: "article_relations",
    columns: &[Column::Integer("article_id"), Column::Integer("position"), Column::Text("kind"), Column::Text("sku")],
    key: &[],
};
const TIERS: Table = Table {
    name: "article_tier_prices",
    columns: &[
        Column::Integer("article_id"),
        Column::Integer("position"),
        Column::Text("minimum"),
        Column::Text("amount"),
        Column::Text("currency"),
        Column::Boolean("gross"),
    ],
    key: &[],
};
const PACKAGING: Table = Table {
    name: "article_packaging",
    columns: &[
        Column::Integer("article_id"),
        Column::Integer("position"),
        Column::Text("unit"),
        Column::Text("factor"),
        Column::Text("gtin"),
    ],
    key: &[],
};
const MEDIA: Table = Table {
    name: "article_media",
    columns: &[
        Column::Integer("article_id"),
        Column::Integer("position"),
        Column::Text("role"),
        Column::Text("location"),
        Column::Text("file_key"),
    ],
    key: &[],
};

/// What hangs on articles, and the ways there.
pub(super) const CHILDREN: [(Table, Straight); 10] = [
    (TEXTS, straight!(article_texts)),
    (CATEGORIES, straight!(article_categories)),
    (STOCKS, straight!(article_stocks)),
    (AXES, straight!(article_axes)),
    (AXIS_VALUES, straight!(article_axis_values)),
    (ATTRIBUTES, straight!(article_attributes)),
    (TIERS, straight!(article_tier_prices)),
    (PACKAGING, straight!(article_packaging)),
    (RELATIONS, straight!(article_relations)),
    (MEDIA, straight!(article_media)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_the_schema() {
        let columns = |table: &Table| table.columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ");
        let of_schema = [
            format!("{:?}", article_texts::all_columns),
            format!("{:?}", article_categories::all_columns),
            format!("{:?}", article_stocks::all_columns),
            format!("{:?}", article_axes::all_columns),
            format!("{:?}", article_axis_values::all_columns),
            format!("{:?}", article_attributes::all_columns),
            format!("{:?}", article_tier_prices::all_columns),
            format!("{:?}", article_packaging::all_columns),
            format!("{:?}", article_relations::all_columns),
            format!("{:?}", article_media::all_columns),
        ];
        for ((table, _), names) in CHILDREN.iter().zip(of_schema) {
            assert_eq!(format!("({})", columns(table)), names, "{}", table.name);
        }
    }
}
