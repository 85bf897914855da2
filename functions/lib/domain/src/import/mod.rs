//! Reading the files that retailers have.
