"""M-Pesa Daraja and PhonePe v2 on one local port, as independent witnesses with a ledger of their own.

Nothing here imports `payfirst`: what the simulators hold to be paid is compared with what PayFirst holds to be paid.
"""
