//! Ids and secrets in the vendor's forms, from the system's randomness.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::BASE32;

/// The system has no randomness to give, so that no secret can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes, so no id or secret can be made")]
pub(crate) struct NoRandomness;

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// An id of 21 characters: `AIDA...` of a user, `AROA...` of a role, `ANPA...` of a policy.
pub(crate) fn entity(prefix: &str) -> Result<String, NoRandomness> {
    let text = BASE32.encode(&random::<15>()?);
    Ok(format!("{prefix}{}", &text[..17]))
}

/// An access key id of 20 characters: `AKIA...` for good, `ASIA...` for a session.
pub(crate) fn access_key(prefix: &str) -> Result<String, NoRandomness> {
    let text = BASE32.encode(&random::<10>()?);
    Ok(format!("{prefix}{text}"))
}

/// A secret access key: 40 characters.
pub(crate) fn secret() -> Result<String, NoRandomness> {
    Ok(STANDARD.encode(random::<30>()?))
}

/// A session token. Shorter than the real ones, whose length is not promised.
pub(crate) fn token() -> Result<String, NoRandomness> {
    Ok(format!("IQoJ{}", STANDARD.encode(random::<129>()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_vendors_lengths() {
        assert_eq!(entity("AROA").unwrap().len(), 21);
        assert_eq!(access_key("ASIA").unwrap().len(), 20);
        assert_eq!(secret().unwrap().len(), 40);
        assert_eq!(token().unwrap().len(), 176);
        assert_ne!(secret(), secret());
    }
}
