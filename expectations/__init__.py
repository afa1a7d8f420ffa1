"""The gate: Great Expectations suites and the verdicts they give."""
