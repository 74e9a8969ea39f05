//! Which servers are believed to be the right one.

use std::fs;

use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::options::RestOptions;
use crate::{Error, Result};

/// Whom to believe.
pub(super) fn config(options: &RestOptions) -> Result<TlsConfig> {
    let config = TlsConfig::builder().disable_verification(options.insecure_tls);
    let Some(path) = &options.server_certificates else {
        return Ok(config.build());
    };
    let pem = fs::read(path).map_err(Error::io("read", path))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| Error::malformed(path, error.to_string()))?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(Error::malformed(path, "there is no certificate in it"));
    }
    Ok(config.root_certs(RootCerts::from(certificates)).build())
}
