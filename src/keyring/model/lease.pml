/*
 * The lease protocol as a spin model: one vault, two holders. The network delays and loses; a holder may stall anywhere;
 * clocks' rates differ within a bound; the vault may crash once; keys are disabled and, with RESTORE, enabled again.
 *
 * Holder 0 is modelled whole. Holder 1 is what the vault sees of any holder: it may be granted a lease whenever the key
 * is usable, and acknowledges a recall at any time, or never. That covers every behaviour of a second holder as far as
 * it can reach the first, and since the two are alike, what is shown of holder 0 holds of both.
 *
 * Asserted: once the vault has said that a revocation is in effect, no use of holder 0 passes its second check; and a
 * vault that did not crash says so within T + M of the revocation.
 *
 * One unit of time is coarse; T is the ttl, M the margin for the clocks' rates, LAG the most by which a holder's clock
 * falls behind meanwhile. Switches: ACK (recalls and acknowledgements), RESTORE, NOCRASH. Mutants, each of which must
 * be found: M=0, MONOTONIC, BUG_RECVTIME, BUG_RESTART, BUG_NORECHECK, BUG_STALEGRANT, BUG_ONEACK, BUG_EARLYACK.
 */
#ifndef T
#define T 2
#endif
#ifndef M
#define M 1
#endif
#ifndef LAG
#define LAG 1
#endif
#ifndef MAXT
#define MAXT 8
#endif
#define HOLDERS 2 /* in what the vault remembers */
#define MY_CLOCK (now - lost)
#define RAN_OUT(h) (now >= last_grant[h] + T + M)
#ifdef BUG_ONEACK
#define IS_OVER (acked[0] || acked[1] || (RAN_OUT(0) && RAN_OUT(1))) /* one holder's word taken for all */
#else
#define IS_OVER ((acked[0] || RAN_OUT(0)) && (acked[1] || RAN_OUT(1)))
#endif

byte now; /* the vault's clock */
byte lost; /* by how much holder 0's clock is behind */
byte deadline; /* on the holder's clock */
byte least_epoch;
bool held, admitted, suspended;

byte last_grant[HOLDERS], epoch, disabled_at;
bool usable = 1, effective, crashed, acked[HOLDERS];

chan request = [1] of { byte };      /* when it was sent, by the holder's clock */
chan grant = [1] of { byte, byte };  /* the request's time, the epoch */
chan recall = [1] of { byte };
chan ack = [1] of { byte };

inline settle()
{
	if
	:: !usable && !effective && IS_OVER -> effective = 1
	:: else
	fi
}

active proctype Clock()
{
	do
	:: now < MAXT -> d_step {
		now++;
#ifdef MONOTONIC
		/* mutant: the holder's clock stands still while it is suspended */
		if :: suspended -> lost++ :: else fi;
#endif
		settle();
		if
		:: !usable && !crashed -> assert(effective || now <= disabled_at + T + M)
		:: else
		fi
	}
	:: atomic { lost < LAG && now > 0 && !suspended -> lost++ }
	:: now >= MAXT -> break
	od
}

inline serve()
{
	request ? sent;
	if
	:: usable && empty(grant) -> last_grant[0] = now; grant ! sent, epoch
	:: usable -> last_grant[0] = now /* lost on its way */
	:: !usable
	fi;
	sent = 0
}

inline hear()
{
	ack ? sent;
	if
	:: !usable && sent == epoch -> acked[0] = 1; settle()
	:: else
	fi;
	sent = 0
}

active proctype Vault()
{
	byte sent;
end:
	do
	:: atomic { nempty(request) -> serve() }
	:: atomic { usable && last_grant[1] != now -> last_grant[1] = now }
	:: atomic { usable && epoch < 1 && now > 0 ->
		usable = 0;
		disabled_at = now;
		epoch++;
#ifdef ACK
		if :: recall ! epoch :: skip fi;
#endif
		settle()
	}
#ifdef ACK
	:: atomic { nempty(ack) -> hear() }
	:: atomic { !usable && !acked[1] -> acked[1] = 1; settle() }
#endif
#ifdef RESTORE
	:: atomic { !usable && effective && epoch < 2 ->
		usable = 1;
		effective = 0;
		acked[0] = 0;
		acked[1] = 0;
		epoch = 2
	}
#endif
#ifndef NOCRASH
	:: atomic { !crashed && now > 0 ->
		crashed = 1;
#ifdef BUG_RESTART
		/* mutant: what it does not remember, nobody holds */
		if :: !usable -> effective = 1 :: else -> last_grant[0] = 0; last_grant[1] = 0 fi
#else
		/* acknowledgements are forgotten; everyone may have been granted a lease just before */
		last_grant[0] = now;
		last_grant[1] = now;
		if :: !effective -> acked[0] = 0; acked[1] = 0 :: else fi
#endif
	}
#endif
	od
}

active proctype Holder()
{
	byte sent, of_epoch, owed; /* owed: the recall to acknowledge */
end:
	do
	:: atomic { !suspended && empty(request) && empty(grant) && now < MAXT -> request ! MY_CLOCK }
	:: atomic { !suspended && nempty(grant) ->
		grant ? sent, of_epoch;
		if
#ifndef BUG_STALEGRANT
		:: of_epoch < least_epoch /* from before a recall that was acknowledged: refused */
		:: of_epoch >= least_epoch ->
#else
		:: true ->
#endif
#ifdef BUG_RECVTIME
			deadline = MY_CLOCK + T; /* mutant: counts from receipt */
#else
			if :: sent + T > deadline -> deadline = sent + T :: else fi;
#endif
			held = 1
		fi;
		sent = 0;
		of_epoch = 0
	}
#ifdef ACK
#ifdef BUG_EARLYACK
	/* mutant: acknowledges while a use goes on, which then releases what it has under way */
	:: atomic { !suspended && nempty(recall) ->
		recall ? sent;
		least_epoch = sent;
		if :: ack ! sent :: skip fi;
		sent = 0
	}
#else
	/* marks, waits for its users, wipes, acknowledges */
	:: atomic { !suspended && nempty(recall) ->
		recall ? owed;
		deadline = 0;
		held = 0;
		least_epoch = owed
	}
	:: atomic { !suspended && owed > 0 && !admitted ->
		if :: ack ! owed :: skip fi;
		owed = 0
	}
#endif
#endif
	/* a request enters, by the first check */
	:: atomic { !suspended && held && !admitted && MY_CLOCK < deadline -> admitted = 1 }
	/* and releases what it opened, by the second */
	:: atomic { !suspended && admitted ->
#ifdef BUG_NORECHECK
		assert(!effective);
#else
		if
		:: MY_CLOCK < deadline -> assert(!effective)
		:: else -> held = 0
		fi;
#endif
		admitted = 0
	}
#ifdef MONOTONIC
	:: atomic { !suspended -> suspended = 1 }
	:: atomic { suspended -> suspended = 0 }
#endif
	od
}
