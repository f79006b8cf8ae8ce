"""Networks (torch), submodules named as published so that weights load with no guessing."""
