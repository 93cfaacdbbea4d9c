//! What S3 holds: buckets, versions of objects, unfinished uploads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::state::{Blob, Blobs};

/// All buckets. A name is taken in all accounts and regions.
pub(super) type Buckets = BTreeMap<String, Bucket>;

/// A bucket.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) account: String,
    pub(super) region: String,
    /// Milliseconds since 1970.
    pub(super) created: u64,
    /// Kept by AWS itself: nobody lists it or writes to it.
    #[serde(default)]
    pub(super) internal: bool,
    #[serde(default)]
    pub(super) versioning: Versioning,
    /// The bucket policy's text.
    #[serde(default)]
    pub(super) policy: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// Settings that are given back as they were put, by the name of their member.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, Value>,
    /// The versions of each key, the newest last; never empty.
    #[serde(default)]
    pub(super) objects: BTreeMap<String, Vec<Version>>,
    #[serde(default)]
    pub(super) uploads: BTreeMap<String, Upload>,
}

/// Whether a bucket keeps old versions.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Versioning {
    /// It never did.
    #[default]
    Never,
    Enabled,
    Suspended,
}

impl Versioning {
    /// The word for it in the API; none for a bucket that never had versions.
    pub(super) fn status(self) -> Option<&'static str> {
        match self {
            Self::Never => None,
            Self::Enabled => Some("Enabled"),
            Self::Suspended => Some("Suspended"),
        }
    }
}

/// One version of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    /// `null` where the bucket kept no versions.
    pub(super) id: String,
    /// Milliseconds since 1970.
    pub(super) modified: u64,
    /// `None` for a delete marker.
    pub(super) object: Option<Object>,
}

/// An object's content and what came with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Object {
    pub(super) content: Content,
    /// Without quotes.
    pub(super) etag: String,
    pub(super) checksum: Option<Sum>,
    /// The sizes of the parts it was uploaded in; empty for one that came whole.
    #[serde(default)]
    pub(super) parts: Vec<u64>,
    #[serde(flatten)]
    pub(super) about: About,
}

/// What a client says of an object.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct About {
    /// Headers that are given back, by the names of their members.
    pub(super) headers: BTreeMap<String, String>,
    /// User metadata.
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

/// A checksum that S3 verified or made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    /// `CRC32`, ...
    pub(super) algorithm: String,
    /// Base64; of a composite one with `-` and the number of parts.
    pub(super) value: String,
    /// Whether it was made of the parts' checksums.
    pub(super) composite: bool,
}

impl Sum {
    /// `COMPOSITE` or `FULL_OBJECT`.
    pub(super) fn kind(&self) -> &'static str {
        if self.composite {
            "COMPOSITE"
        } else {
            "FULL_OBJECT"
        }
    }
}

/// Bytes on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Content {
    sha256: String,
    pub(super) size: u64,
    /// Always there, but while what was kept is being read.
    #[serde(skip)]
    blob: Option<Blob>,
}

impl Content {
    pub(super) fn new(blob: Blob) -> Self {
        Self {
            sha256: blob.sha256(),
            size: blob.size(),
            blob: Some(blob),
        }
    }

    pub(super) fn blob(&self) -> std::io::Result<Blob> {
        self.blob
            .clone()
            .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
    }

    fn attach(&mut self, blobs: &Blobs) -> Result<(), String> {
        self.blob = blobs.get(&self.sha256, self.size);
        match self.blob {
            Some(_) => Ok(()),
            None => Err(format!("the file of content {} is missing", self.sha256)),
        }
    }
}

/// A multipart upload that is not finished.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) key: String,
    /// Milliseconds since 1970.
    pub(super) initiated: u64,
    pub(super) about: About,
    pub(super) algorithm: String,
    pub(super) composite: bool,
    /// Whether the client chose the algorithm.
    pub(super) chosen: bool,
    #[serde(default)]
    pub(super) parts: BTreeMap<u64, Part>,
}

/// A part of an upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) content: Content,
    /// The MD5 in hex.
    pub(super) etag: String,
    pub(super) modified: u64,
    pub(super) checksum: Sum,
}

impl Upload {
    /// Its storage class.
    pub(super) fn class(&self) -> &str {
        let class = self.about.headers.get("StorageClass");
        class.map_or("STANDARD", String::as_str)
    }

    /// `COMPOSITE` or `FULL_OBJECT`.
    pub(super) fn kind(&self) -> &'static str {
        if self.composite {
            "COMPOSITE"
        } else {
            "FULL_OBJECT"
        }
    }
}

impl Bucket {
    /// The bucket's ARN.
    pub(super) fn arn(&self) -> String {
        arn(&self.name, None)
    }

    /// The newest version of a key, unless it is deleted.
    pub(super) fn latest(&self, key: &str) -> Option<(&Version, &Object)> {
        let version = self.objects.get(key)?.last()?;
        Some((version, version.object.as_ref()?))
    }

    /// Adds a version of a key as the bucket's versioning says, and gives its id where the bucket has
    /// versions.
    pub(super) fn add(
        &mut self,
        key: &str,
        fresh: String,
        modified: u64,
        object: Option<Object>,
    ) -> Option<String> {
        let id = match self.versioning {
            Versioning::Enabled => fresh,
            Versioning::Never | Versioning::Suspended => "null".to_owned(),
        };
        let versions = self.objects.entry(key.to_owned()).or_default();
        if id == "null" {
            versions.retain(|version| version.id != "null");
        }
        versions.push(Version {
            id: id.clone(),
            modified,
            object,
        });
        (self.versioning != Versioning::Never).then_some(id)
    }

    /// The id that a version shows; none in a bucket without versions.
    pub(super) fn shown_id<'a>(&self, version: &'a Version) -> Option<&'a str> {
        (self.versioning != Versioning::Never || version.id != "null").then_some(&version.id)
    }

    /// Finds the bytes of everything that was kept.
    pub(super) fn attach(&mut self, blobs: &Blobs) -> Result<(), String> {
        let objects = self
            .objects
            .values_mut()
            .flatten()
            .filter_map(|version| version.object.as_mut())
            .map(|object| &mut object.content);
        let parts = self
            .uploads
            .values_mut()
            .flat_map(|upload| upload.parts.values_mut())
            .map(|part| &mut part.content);
        for content in objects.chain(parts) {
            content.attach(blobs)?;
        }
        Ok(())
    }
}

/// The ARN of a bucket, or of an object in it.
pub(super) fn arn(bucket: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        None => format!("arn:aws:s3:::{bucket}"),
    }
}

/// Seconds since 1970, as answers give moments.
pub(super) fn seconds(millis: u64) -> Value {
    // Exact: a moment in milliseconds has far fewer than 53 bits.
    Value::from(millis as f64 / 1000.0)
}
