//! The nearest of some names to one that is not among them.

/// The name among `known` that `text` was probably meant to be, if one is near enough to be worth suggesting.
///
/// ```
/// use anyport::manifest::nearest;
///
/// assert_eq!(nearest("memroy_mb", ["memory_mb", "timeout"]), Some("memory_mb"));
/// assert_eq!(nearest("colour", ["memory_mb", "timeout"]), None);
/// ```
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (text.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(text, name), name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// "did you mean X?" where one is near, else the whole list under `heading`.
pub(super) fn suggestion<'a>(
    text: &str,
    heading: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(text, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => format!("{heading}: none"),
        None => format!("{heading}: {}", known.join(", ")),
    }
}
