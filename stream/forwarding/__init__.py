"""What forwarding a forged clip may mean, by country: a dated, sourced content pack, never constants in code."""
