//! The operations that patterns can name, and suggestions for patterns that name none.

use super::{Pattern, patterns, permissions};

/// Similarity from which an operation is suggested.
const MIN_SIMILARITY: f64 = 0.8;

/// Suggestions for one pattern.
const MAX_SUGGESTIONS: usize = 5;

/// The operations of the services, and the permissions beside them.
#[derive(Clone, Debug, Default)]
pub struct KnownOperations(Vec<(String, String)>);

impl KnownOperations {
    /// Those of services, each as service and operation, and the permissions beside them.
    pub fn new<'a>(of_services: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let all = of_services.chain(permissions::ALL);
        let mut all: Vec<_> = all.map(|(service, operation)| (service.to_owned(), operation.to_owned())).collect();
        all.sort();
        all.dedup();
        Self(all)
    }

    /// Parses patterns that are separated by blanks, each of which covers an operation.
    ///
    /// # Errors
    /// Returns a sentence on the first one that is malformed or covers none, with similar operations.
    pub fn patterns(&self, text: &str) -> Result<Vec<Pattern>, String> {
        let parsed = patterns(text)?;
        self.check(&parsed)?;
        Ok(parsed)
    }

    /// Checks that each pattern covers an operation.
    ///
    /// # Errors
    /// Returns a sentence on the first one that covers none, with similar operations.
    pub fn check(&self, patterns: &[Pattern]) -> Result<(), String> {
        let covers_none = |pattern: &&Pattern| !self.0.iter().any(|(service, name)| pattern.covers(service, name));
        let Some(pattern) = patterns.iter().find(covers_none) else { return Ok(()) };
        let similar = self.similar(pattern.text());
        let suggestion = if similar.is_empty() {
            let mut services: Vec<&str> = self.0.iter().map(|(service, _)| service.as_str()).collect();
            services.dedup();
            format!("available services: {}", services.join(", "))
        } else {
            format!("similar: {}", similar.join(", "))
        };
        Err(format!("The pattern \"{}\" matches no operation; {suggestion}", pattern.text()))
    }

    /// Operations, or all of a service, whose names are like a pattern, the most similar first.
    fn similar(&self, pattern: &str) -> Vec<String> {
        let mut candidates: Vec<String> = self.0.iter().map(|(service, name)| format!("{service}.{name}")).collect();
        let mut services: Vec<String> = self.0.iter().map(|(service, _)| format!("{service}.*")).collect();
        services.dedup();
        candidates.append(&mut services);
        let folded = pattern.to_lowercase();
        let mut rated: Vec<(f64, String)> = candidates
            .into_iter()
            .map(|candidate| (strsim::normalized_damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
            .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
            .collect();
        rated.sort_by(|(a, first), (b, second)| b.total_cmp(a).then_with(|| first.cmp(second)));
        rated.into_iter().take(MAX_SUGGESTIONS).map(|(_, candidate)| candidate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> KnownOperations {
        let operations = ["GetArticle", "GetArticles", "ListArticles", "UpsertArticles"];
        KnownOperations::new(operations.into_iter().map(|name| ("Catalog", name)).chain([("Orders", "GetOrder")]))
    }

    #[test]
    fn patterns_must_cover_an_operation() {
        for right in ["*", "Catalog.*", "*.Get*", "Orders.GetOrder", "Access.Change Metrics.Read", "Navigator.V*", ""] {
            assert!(known().patterns(right).is_ok(), "{right}");
        }
        for (wrong, suggestion) in [
            ("Catalog.GetArticel", "Catalog.GetArticle, Catalog.GetArticles"),
            ("Catalogue.*", "Catalog.*"),
            ("catalog.getarticle", "Catalog.GetArticle"),
            ("Orders.*  Order.*", "Orders.*"),
            ("Nothing.Like*", "available services: Access, Catalog, Messages, Metrics, Navigator, Orders"),
        ] {
            let why = known().patterns(wrong).unwrap_err();
            assert!(why.contains(suggestion), "{wrong}: {why}");
        }
        assert!(known().patterns("Catalog").is_err());
    }
}
