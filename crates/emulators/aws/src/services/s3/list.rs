//! Listing objects, in the order of their keys' bytes.

use std::collections::BTreeMap;
use std::ops::Bound;

use data_encoding::BASE64URL;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::bucket::owner;
use super::put::quoted;
use super::store::{Bucket, Object, Version, seconds};
use super::{allow_if, error, reached};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Entries per page.
const PAGE: u64 = 1000;

/// What is not encoded in keys that are asked for encoded.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*');

/// What a list is to hold.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
    pub(super) most: usize,
    pub(super) encoded: bool,
}

/// One entry of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a, T> {
    /// Something under a key.
    Key(&'a str, T),
    /// All keys with this prefix.
    Prefix(&'a str),
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<'a, T> {
    pub(super) entries: Vec<Entry<'a, T>>,
    /// Whether there is more.
    pub(super) truncated: bool,
}

impl<'a> Query<'a> {
    /// Reads the members that all lists have.
    ///
    /// # Errors
    /// A page size that is none; an encoding that is unknown.
    pub(super) fn of(call: &'a Call, most: &str) -> Result<Self, ApiError> {
        let most = match call.get(most).and_then(Value::as_i64) {
            None => PAGE,
            Some(most) => u64::try_from(most)
                .map_err(|_| {
                    error::invalid_argument(
                        "maxKeys",
                        &most.to_string(),
                        "Argument maxKeys must be an integer between 0 and 2147483647",
                    )
                })?
                .min(PAGE),
        };
        let encoded = match call.text("EncodingType") {
            None => false,
            Some("url") => true,
            Some(other) => {
                return Err(error::invalid_argument(
                    "encoding-type",
                    other,
                    "Invalid Encoding Method specified in Request",
                ));
            }
        };
        Ok(Self {
            prefix: call.text("Prefix").unwrap_or_default(),
            delimiter: call.text("Delimiter").filter(|text| !text.is_empty()),
            most: usize::try_from(most).unwrap_or(usize::MAX),
            encoded,
        })
    }

    /// A key or prefix as it is shown.
    pub(super) fn show(&self, text: &str) -> Value {
        if self.encoded {
            // Spaces are `+`, as in forms.
            Value::from(
                utf8_percent_encode(text, PLAIN)
                    .to_string()
                    .replace("%20", "+"),
            )
        } else {
            Value::from(text)
        }
    }

    /// The key's group, where the list has a delimiter and the key has it after the prefix.
    pub(super) fn group<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let rest = key.get(self.prefix.len()..)?;
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        key.get(..end)
    }

    /// A page of what is under keys after `after`, a key or a prefix; `each` gives the entries of a key.
    pub(super) fn page<'m, V, T>(
        &self,
        map: &'m BTreeMap<String, V>,
        after: &str,
        mut each: impl FnMut(&'m str, &'m V) -> Vec<T>,
    ) -> Page<'m, T> {
        let start = match after {
            "" => Bound::Included(self.prefix),
            after if after < self.prefix => Bound::Included(self.prefix),
            after => Bound::Excluded(after),
        };
        // A group that was given on an earlier page is not given again.
        let given = self.group(after).filter(|group| *group == after);
        let mut page = Page {
            entries: Vec::new(),
            truncated: false,
        };
        let mut last_group = None;
        for (key, value) in map.range::<str, _>((start, Bound::Unbounded)) {
            if !key.starts_with(self.prefix) {
                break;
            }
            let entries = each(key, value);
            if entries.is_empty() {
                continue;
            }
            if let Some(group) = self.group(key) {
                if last_group == Some(group) || given == Some(group) {
                    continue;
                }
                if page.entries.len() >= self.most {
                    page.truncated = true;
                    break;
                }
                last_group = Some(group);
                page.entries.push(Entry::Prefix(group));
                continue;
            }
            for entry in entries {
                if page.entries.len() >= self.most {
                    page.truncated = true;
                    return page;
                }
                page.entries.push(Entry::Key(key, entry));
            }
        }
        page
    }

    /// Adds the members that all lists show.
    pub(super) fn describe(&self, bucket: &Bucket, output: &mut Map<String, Value>) {
        output.insert("Name".to_owned(), bucket.name.as_str().into());
        output.insert("Prefix".to_owned(), self.show(self.prefix));
        if let Some(delimiter) = self.delimiter {
            output.insert("Delimiter".to_owned(), self.show(delimiter));
        }
        if self.encoded {
            output.insert("EncodingType".to_owned(), "url".into());
        }
    }
}

/// Of a list of nothing, more is never said: the next page would be empty, too.
pub(super) fn truncated<T>(query: &Query<'_>, page: &Page<'_, T>) -> bool {
    page.truncated && query.most > 0
}

impl<T> Page<'_, T> {
    /// The last key or prefix of the page.
    pub(super) fn last(&self) -> Option<&str> {
        match self.entries.last()? {
            Entry::Key(key, _) => Some(key),
            Entry::Prefix(prefix) => Some(prefix),
        }
    }

    /// The groups of the page.
    pub(super) fn prefixes(&self, query: &Query<'_>) -> Vec<Value> {
        self.entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Prefix(prefix) => Some(json!({ "Prefix": query.show(prefix) })),
                Entry::Key(..) => None,
            })
            .collect()
    }
}

/// Text that a client hands back to go on after this key.
pub(super) fn token(after: &str) -> String {
    BASE64URL.encode(after.as_bytes())
}

/// Reads what [`token`] gave.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn read_token(token: &str) -> Result<String, ApiError> {
    BASE64URL
        .decode(token.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            error::invalid_argument(
                "continuation-token",
                token,
                "The continuation token provided is incorrect",
            )
        })
}

/// Lets the caller list; policies may be about the prefix and the delimiter.
pub(super) fn allow_list(
    call: &Call,
    bucket: &Bucket,
    action: &str,
    query: &Query<'_>,
) -> Result<(), ApiError> {
    let most = query.most.to_string();
    let mut conditions = vec![("s3:prefix", query.prefix), ("s3:max-keys", most.as_str())];
    if let Some(delimiter) = query.delimiter {
        conditions.push(("s3:delimiter", delimiter));
    }
    allow_if(&call.cx, bucket, action, None, &conditions)
}

fn latest(versions: &[Version]) -> Vec<(&Version, &Object)> {
    versions
        .last()
        .and_then(|version| Some((version, version.object.as_ref()?)))
        .into_iter()
        .collect()
}

/// The members of an object in any list.
pub(super) fn entry(query: &Query<'_>, key: &str, version: &Version, object: &Object) -> Value {
    let class = object.about.headers.get("StorageClass");
    let mut entry = json!({
        "Key": query.show(key),
        "LastModified": seconds(version.modified),
        "ETag": quoted(&object.etag),
        "Size": object.content.size,
        "StorageClass": class.map_or("STANDARD", String::as_str),
    });
    if let Some(sum) = &object.checksum {
        entry["ChecksumAlgorithm"] = json!([sum.algorithm]);
        entry["ChecksumType"] = sum.kind().into();
    }
    entry
}

fn contents(
    query: &Query<'_>,
    page: &Page<'_, (&Version, &Object)>,
    owner: Option<&Value>,
) -> Vec<Value> {
    let each = page.entries.iter().filter_map(|one| match one {
        Entry::Key(key, (version, object)) => {
            let mut entry = entry(query, key, version, object);
            if let Some(owner) = owner {
                entry["Owner"] = owner.clone();
            }
            Some(entry)
        }
        Entry::Prefix(_) => None,
    });
    each.collect()
}

/// `ListObjects`.
pub(super) fn first(call: &Call) -> Result<Answer, ApiError> {
    let query = Query::of(call, "MaxKeys")?;
    let mut buckets = call.cx.cloud.s3.lock();
    let bucket = reached(call, &mut buckets)?;
    allow_list(call, bucket, "s3:ListBucket", &query)?;
    let marker = call.text("Marker").unwrap_or_default();
    let page = query.page(&bucket.objects, marker, |_, versions| latest(versions));
    let mut output = Map::new();
    query.describe(bucket, &mut output);
    output.insert("Marker".to_owned(), query.show(marker));
    output.insert("MaxKeys".to_owned(), query.most.into());
    let truncated = truncated(&query, &page);
    output.insert("IsTruncated".to_owned(), truncated.into());
    // Source: S3 API reference, `ListObjects`, `NextMarker`: only with a delimiter.
    if let Some(last) = page
        .last()
        .filter(|_| truncated && query.delimiter.is_some())
    {
        output.insert("NextMarker".to_owned(), query.show(last));
    }
    let owner = owner(&bucket.account);
    output.insert(
        "Contents".to_owned(),
        contents(&query, &page, Some(&owner)).into(),
    );
    output.insert("CommonPrefixes".to_owned(), page.prefixes(&query).into());
    Ok(Answer::json(Value::Object(output)))
}

/// `ListObjectsV2`.
pub(super) fn second(call: &Call) -> Result<Answer, ApiError> {
    let query = Query::of(call, "MaxKeys")?;
    let token_given = call.text("ContinuationToken");
    let start = call.text("StartAfter").unwrap_or_default();
    let after = match token_given {
        Some(token) => read_token(token)?,
        None => start.to_owned(),
    };
    let mut buckets = call.cx.cloud.s3.lock();
    let bucket = reached(call, &mut buckets)?;
    allow_list(call, bucket, "s3:ListBucket", &query)?;
    let page = query.page(&bucket.objects, &after, |_, versions| latest(versions));
    let mut output = Map::new();
    query.describe(bucket, &mut output);
    output.insert("MaxKeys".to_owned(), query.most.into());
    output.insert("KeyCount".to_owned(), page.entries.len().into());
    let truncated = truncated(&query, &page);
    output.insert("IsTruncated".to_owned(), truncated.into());
    if let Some(token) = token_given {
        output.insert("ContinuationToken".to_owned(), token.into());
    }
    if let Some(last) = page.last().filter(|_| truncated) {
        output.insert("NextContinuationToken".to_owned(), token(last).into());
    }
    if !start.is_empty() {
        output.insert("StartAfter".to_owned(), query.show(start));
    }
    let owner =
        (call.get("FetchOwner") == Some(&Value::Bool(true))).then(|| owner(&bucket.account));
    output.insert(
        "Contents".to_owned(),
        contents(&query, &page, owner.as_ref()).into(),
    );
    output.insert("CommonPrefixes".to_owned(), page.prefixes(&query).into());
    Ok(Answer::json(Value::Object(output)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> BTreeMap<String, ()> {
        names.iter().map(|name| ((*name).to_owned(), ())).collect()
    }

    fn all(prefix: &str, delimiter: Option<&str>, most: usize, names: &[&str]) -> Vec<Vec<String>> {
        let map = keys(names);
        let query = Query {
            prefix,
            delimiter,
            most,
            encoded: false,
        };
        let mut pages = Vec::new();
        let mut after = String::new();
        loop {
            let page = query.page(&map, &after, |_, ()| vec![()]);
            let shown = page.entries.iter().map(|entry| match entry {
                Entry::Key(key, ()) => (*key).to_owned(),
                Entry::Prefix(prefix) => format!("[{prefix}]"),
            });
            pages.push(shown.collect());
            if !page.truncated {
                return pages;
            }
            after = page.last().unwrap().to_owned();
        }
    }

    #[test]
    fn groups_are_given_once_over_all_pages() {
        let names = ["a/1", "a/2", "b", "c/1", "c/2", "d/x/1", "d/y"];
        let whole = all("", Some("/"), 100, &names);
        assert_eq!(whole, [["[a/]", "b", "[c/]", "[d/]"]]);
        for most in 1..5 {
            let pages: Vec<String> = all("", Some("/"), most, &names).concat();
            assert_eq!(pages, whole[0], "{most}");
        }
        assert_eq!(all("d/", Some("/"), 100, &names), [["[d/x/]", "d/y"]]);
        assert_eq!(all("c", None, 1, &names), [["c/1"], ["c/2"]]);
        assert_eq!(all("z", None, 1, &names), [Vec::<String>::new()]);
    }

    #[test]
    fn keys_are_encoded_as_in_forms() {
        let query = Query {
            prefix: "",
            delimiter: None,
            most: 1,
            encoded: true,
        };
        assert_eq!(query.show("a b/ü+.txt"), "a+b/%C3%BC%2B.txt");
    }

    #[test]
    fn tokens_come_back() {
        assert_eq!(read_token(&token("a/ü")).unwrap(), "a/ü");
        assert!(read_token("%%%").is_err());
    }
}
