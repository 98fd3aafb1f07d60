"""The only code that knows the classes and the errors of the Azure SDKs."""
