//! The 27 states of Brazil: where they lie, who lives there, and how long a parcel from São Paulo
//! takes.

/// A state, with measured figures for parcels from São Paulo.
#[derive(Debug)]
pub(crate) struct State {
    /// Two letters.
    pub code: &'static str,
    /// Share of the customers.
    pub customers: f64,
    /// Share of the sellers.
    pub sellers: f64,
    /// Ranges of zip code prefixes, both ends inclusive.
    pub prefixes: &'static [(u32, u32)],
    /// Number of prefixes in use.
    pub used_prefixes: usize,
    /// Degrees north, of where people live.
    pub latitude: f64,
    /// Degrees east, of where people live.
    pub longitude: f64,
    /// Degrees by which places scatter around it.
    pub scatter: f64,
    /// Median days in transit from São Paulo; for São Paulo itself, inside the state.
    pub transit: f64,
    /// Median days promised for parcels from São Paulo.
    pub promise: f64,
    /// Median freight in reais from São Paulo.
    pub freight: f64,
    /// Median days in transit inside the state.
    pub local_transit: f64,
}

macro_rules! states {
    ($($code:literal $customers:literal $sellers:literal [$($prefix:expr),+] $used:literal
       ($latitude:literal, $longitude:literal) $scatter:literal
       $transit:literal $promise:literal $freight:literal $local:literal;)+) => {
        &[$(State {
            code: $code,
            customers: $customers,
            sellers: $sellers,
            prefixes: &[$($prefix),+],
            used_prefixes: $used,
            latitude: $latitude,
            longitude: $longitude,
            scatter: $scatter,
            transit: $transit,
            promise: $promise,
            freight: $freight,
            local_transit: $local,
        }),+]
    };
}

/// Place of São Paulo in [`STATES`].
pub(crate) const SAO_PAULO: usize = 0;

/// Code, shares of customers and sellers, prefixes, place, scatter, transit, promise, freight,
/// transit inside.
pub(crate) const STATES: &[State] = states! {
    "SP" 40.94 59.98 [(1000, 19999)] 6349 (-22.9, -47.3) 1.0 3.9 18.1 11.9 3.5;
    "RJ" 13.26 5.28 [(20000, 28999)] 1390 (-22.7, -43.2) 0.5 10.0 24.4 16.7 2.2;
    "MG" 11.87 8.13 [(30000, 39999)] 1868 (-19.6, -44.5) 1.3 7.9 23.6 16.6 5.0;
    "RS" 5.65 4.14 [(90000, 99999)] 1132 (-29.6, -51.8) 1.1 11.1 29.1 17.2 3.0;
    "PR" 5.08 11.49 [(80000, 87999)] 1046 (-24.7, -50.8) 1.0 8.0 24.6 16.7 4.7;
    "SC" 3.76 5.86 [(88000, 89999)] 620 (-27.1, -49.5) 0.7 11.1 25.4 16.8 4.4;
    "BA" 3.44 0.59 [(40000, 48999)] 992 (-13.2, -39.5) 1.5 14.8 29.5 19.6 5.0;
    "ES" 2.09 0.63 [(29000, 29999)] 315 (-20.2, -40.5) 0.5 10.1 24.3 17.0 4.5;
    "GO" 2.09 1.25 [(72800, 72999), (73700, 76799)] 773 (-16.7, -49.2) 1.0 11.5 27.2 17.3 4.5;
    "DF" 2.09 1.06 [(70000, 72799), (73000, 73699)] 516 (-15.8, -47.95) 0.15 9.0 24.4 16.1 3.5;
    "PE" 1.66 0.31 [(50000, 56999)] 596 (-8.2, -35.6) 0.9 13.9 32.5 25.9 5.0;
    "CE" 1.39 0.39 [(60000, 63999)] 548 (-4.2, -38.9) 0.9 15.1 31.4 26.5 5.0;
    "PA" 1.02 0.04 [(66000, 68899)] 309 (-2.0, -48.9) 1.6 18.2 36.2 25.8 6.0;
    "MT" 0.95 0.12 [(78000, 78899)] 254 (-14.7, -55.7) 1.5 13.9 31.1 20.1 5.0;
    "MA" 0.79 0.04 [(65000, 65999)] 313 (-3.7, -44.8) 1.2 17.0 31.0 34.2 6.0;
    "MS" 0.72 0.16 [(79000, 79999)] 242 (-20.9, -54.7) 1.1 11.8 26.0 16.8 4.5;
    "PB" 0.53 0.16 [(58000, 58999)] 324 (-7.1, -35.7) 0.7 14.3 33.2 34.2 5.0;
    "PI" 0.51 0.04 [(64000, 64999)] 307 (-5.9, -42.6) 1.2 13.4 30.2 34.2 5.0;
    "RN" 0.5 0.12 [(59000, 59999)] 280 (-5.8, -35.8) 0.6 14.9 33.1 34.2 5.0;
    "AL" 0.44 0.02 [(57000, 57999)] 178 (-9.6, -36.0) 0.4 19.6 31.3 34.2 5.0;
    "SE" 0.34 0.08 [(49000, 49999)] 135 (-10.8, -37.2) 0.3 15.1 29.5 29.9 5.0;
    "TO" 0.28 0.02 [(77000, 77999)] 184 (-10.0, -48.4) 1.3 13.3 28.4 27.6 5.0;
    "RO" 0.27 0.08 [(76800, 76999)] 108 (-10.2, -62.8) 0.9 16.3 37.5 34.2 6.0;
    "AM" 0.15 0.04 [(69000, 69299), (69400, 69899)] 144 (-3.1, -60.2) 1.0 24.0 43.5 24.9 5.0;
    "AC" 0.09 0.04 [(69900, 69999)] 46 (-9.6, -68.5) 0.8 15.9 40.4 34.6 6.0;
    "AP" 0.07 0.01 [(68900, 68999)] 26 (0.1, -51.2) 0.4 20.4 45.9 26.6 5.0;
    "RR" 0.04 0.01 [(69300, 69399)] 28 (2.7, -60.7) 0.4 26.0 43.3 29.0 5.0;
};
