"""Model families: each module that exports `GENERATOR` can sample and be refitted."""
