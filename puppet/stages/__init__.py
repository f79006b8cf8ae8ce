"""What each thread of the pipeline does: capture, infer, present. No thread is started here."""
