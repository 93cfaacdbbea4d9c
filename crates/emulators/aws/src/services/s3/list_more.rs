//! Listing versions and unfinished uploads.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::bucket::owner;
use super::error;
use super::list::{Entry, Query, allow_list, entry, truncated};
use super::reached;
use super::store::{Upload, Version, seconds};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// `ListObjectVersions`: the versions of each key, the newest first.
pub(super) fn versions(call: &Call) -> Result<Answer, ApiError> {
    let query = Query::of(call, "MaxKeys")?;
    let key_marker = call.text("KeyMarker").unwrap_or_default();
    let version_marker = call.text("VersionIdMarker").unwrap_or_default();
    if key_marker.is_empty() && !version_marker.is_empty() {
        return Err(error::invalid_argument(
            "version-id-marker",
            version_marker,
            "A version-id marker cannot be specified without a key marker.",
        ));
    }
    let mut buckets = call.cx.cloud.s3.lock();
    let bucket = reached(call, &mut buckets)?;
    allow_list(call, bucket, "s3:ListBucketVersions", &query)?;
    let show = |versions: &[Version], after: Option<&str>| -> Vec<(Version, bool)> {
        let newest = versions.len().saturating_sub(1);
        let all = versions.iter().enumerate().rev();
        let all = all.map(|(index, version)| (version.clone(), index == newest));
        match after {
            None => all.collect(),
            Some(after) => all
                .skip_while(|(version, _)| version.id != after)
                .skip(1)
                .collect(),
        }
    };
    let mut page = query.page(&bucket.objects, key_marker, |_, versions| {
        show(versions, None)
    });
    // The rest of the key that the last page ended in comes first.
    if let Some(versions) = bucket
        .objects
        .get(key_marker)
        .filter(|_| !version_marker.is_empty() && query.group(key_marker).is_none())
    {
        let rest = show(versions, Some(version_marker));
        let rest = rest.into_iter().map(|one| Entry::Key(key_marker, one));
        page.entries.splice(0..0, rest);
        if page.entries.len() > query.most {
            page.entries.truncate(query.most);
            page.truncated = true;
        }
    }
    let mut output = Map::new();
    query.describe(bucket, &mut output);
    output.insert("KeyMarker".to_owned(), query.show(key_marker));
    output.insert("VersionIdMarker".to_owned(), version_marker.into());
    output.insert("MaxKeys".to_owned(), query.most.into());
    let truncated = truncated(&query, &page);
    output.insert("IsTruncated".to_owned(), truncated.into());
    match page.entries.last().filter(|_| truncated) {
        Some(Entry::Key(key, (version, _))) => {
            output.insert("NextKeyMarker".to_owned(), query.show(key));
            output.insert("NextVersionIdMarker".to_owned(), version.id.as_str().into());
        }
        Some(Entry::Prefix(prefix)) => {
            output.insert("NextKeyMarker".to_owned(), query.show(prefix));
        }
        None => {}
    }
    let owner = owner(&bucket.account);
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for one in &page.entries {
        let Entry::Key(key, (version, newest)) = one else {
            continue;
        };
        let (list, mut shown) = match &version.object {
            Some(object) => (&mut versions, entry(&query, key, version, object)),
            None => {
                let moment = seconds(version.modified);
                (
                    &mut markers,
                    json!({ "Key": query.show(key), "LastModified": moment }),
                )
            }
        };
        shown["VersionId"] = version.id.as_str().into();
        shown["IsLatest"] = (*newest).into();
        shown["Owner"] = owner.clone();
        list.push(shown);
    }
    output.insert("Versions".to_owned(), versions.into());
    output.insert("DeleteMarkers".to_owned(), markers.into());
    output.insert("CommonPrefixes".to_owned(), page.prefixes(&query).into());
    Ok(Answer::json(Value::Object(output)))
}

/// `ListMultipartUploads`: by key, then by the moment at which they began.
pub(super) fn uploads(call: &Call) -> Result<Answer, ApiError> {
    let query = Query::of(call, "MaxUploads")?;
    let key_marker = call.text("KeyMarker").unwrap_or_default();
    let id_marker = call.text("UploadIdMarker").unwrap_or_default();
    let mut buckets = call.cx.cloud.s3.lock();
    let bucket = reached(call, &mut buckets)?;
    allow_list(call, bucket, "s3:ListBucketMultipartUploads", &query)?;
    let mut by_key: BTreeMap<String, Vec<(&String, &Upload)>> = BTreeMap::new();
    for (id, upload) in &bucket.uploads {
        let same = by_key.entry(upload.key.clone()).or_default();
        same.push((id, upload));
    }
    for same in by_key.values_mut() {
        same.sort_by_key(|(id, upload)| (upload.initiated, *id));
    }
    let mut page = query.page(&by_key, key_marker, |_, same| same.clone());
    if let Some(same) = by_key.get(key_marker).filter(|_| !id_marker.is_empty()) {
        let rest = same.iter().skip_while(|(id, _)| id.as_str() != id_marker);
        let rest = rest.skip(1).map(|one| Entry::Key(key_marker, *one));
        page.entries.splice(0..0, rest.collect::<Vec<_>>());
        if page.entries.len() > query.most {
            page.entries.truncate(query.most);
            page.truncated = true;
        }
    }
    let mut output = Map::new();
    query.describe(bucket, &mut output);
    output.remove("Name");
    output.insert("Bucket".to_owned(), bucket.name.as_str().into());
    output.insert("KeyMarker".to_owned(), query.show(key_marker));
    output.insert("UploadIdMarker".to_owned(), id_marker.into());
    output.insert("MaxUploads".to_owned(), query.most.into());
    let truncated = truncated(&query, &page);
    output.insert("IsTruncated".to_owned(), truncated.into());
    match page.entries.last().filter(|_| truncated) {
        Some(Entry::Key(key, (id, _))) => {
            output.insert("NextKeyMarker".to_owned(), query.show(key));
            output.insert("NextUploadIdMarker".to_owned(), id.as_str().into());
        }
        Some(Entry::Prefix(prefix)) => {
            output.insert("NextKeyMarker".to_owned(), query.show(prefix));
        }
        None => {}
    }
    let owner = owner(&bucket.account);
    let shown = page.entries.iter().filter_map(|one| match one {
        Entry::Key(key, (id, upload)) => Some(json!({
            "Key": query.show(key),
            "UploadId": id,
            "Initiated": seconds(upload.initiated),
            "StorageClass": upload.class(),
            "Owner": owner,
            "Initiator": owner,
            "ChecksumAlgorithm": upload.algorithm,
            "ChecksumType": upload.kind(),
        })),
        Entry::Prefix(_) => None,
    });
    output.insert("Uploads".to_owned(), shown.collect::<Vec<_>>().into());
    output.insert("CommonPrefixes".to_owned(), page.prefixes(&query).into());
    Ok(Answer::json(Value::Object(output)))
}
