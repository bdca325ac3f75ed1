// SPDX-License-Identifier: MIT
//
// Unpredictable bytes: the ChaCha20 block function (RFC 8439, 2.3) over a key that is replaced with its own
// output after each request (fast key erasure), and into which hardware entropy, the boot loader's seed and
// the clock are mixed.

#include <arch/cpu.h>
#include <arch/time.h>
#include <kernel/boot.h>
#include <kernel/command_line.h>
#include <kernel/random.h>
#include <kernel/spinlock.h>
#include <kernel/string.h>
#include <kernel/syscall.h>

#define KEY_WORDS     8
#define BLOCK_WORDS   16
#define RANDOM_MAX    256
#define RESEED_PERIOD 1024 // requests

static struct spinlock lock = SPINLOCK_INITIALIZER(RANK_RANDOM);
static uint32_t key[KEY_WORDS];
static uint64_t requests;
static bool layout_fixed; // so that runs repeat exactly, and a debugger knows where things are

static uint32_t rotate(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32 - bits);
}

static void quarter_round(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

static void block(uint32_t counter, uint32_t output[BLOCK_WORDS])
{
	static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t input[BLOCK_WORDS] = {0};

	memcpy(input, constants, sizeof(constants));
	memcpy(input + 4, key, sizeof(key));
	input[12] = counter;
	memcpy(output, input, sizeof(input));
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 4; i++)
			quarter_round(output, i, 4 + i, 8 + i, 12 + i);
		for (unsigned i = 0; i < 4; i++)
			quarter_round(output, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
	}
	for (unsigned i = 0; i < BLOCK_WORDS; i++)
		output[i] += input[i];
}

// Mixes bytes into the key: exclusive or, then one block replaces it. The lock is held, or nobody else is
// there yet.
static void mix(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint32_t output[BLOCK_WORDS];

	for (size_t i = 0; i < length; i++)
		((uint8_t *)key)[i % sizeof(key)] ^= bytes[i];
	block(0, output);
	memcpy(key, output, sizeof(key));
}

static void mix_hardware(void)
{
	uint8_t entropy[32];
	uint64_t now = arch_time_now();
	size_t length = arch_entropy(entropy, sizeof(entropy));

	mix(entropy, length);
	mix(&now, sizeof(now));
}

void random_init(void)
{
	mix(boot_machine.seed, sizeof(boot_machine.seed));
	memset(boot_machine.seed, 0, sizeof(boot_machine.seed));
	mix_hardware();
	layout_fixed = command_line_is("tern.layout", "fixed");
}

void random_fill(void *buffer, size_t length)
{
	uint8_t *bytes = buffer;
	uint32_t output[BLOCK_WORDS];

	spin_lock(&lock);
	if (++requests % RESEED_PERIOD == 0)
		mix_hardware();
	for (uint32_t counter = 1; length > 0; counter++) {
		size_t piece = length < sizeof(output) ? length : sizeof(output);

		block(counter, output);
		memcpy(bytes, output, piece);
		bytes += piece;
		length -= piece;
	}
	block(0, output);
	memcpy(key, output, sizeof(key));
	spin_unlock(&lock);
	memset(output, 0, sizeof(output));
}

uint64_t random_distance(uint64_t limit, uint64_t step)
{
	uint64_t value = 0;

	if (!layout_fixed)
		random_fill(&value, sizeof(value));
	return value % (limit / step) * step;
}

struct syscall_result sys_random_get(void __user *buffer, uint64_t length)
{
	uint8_t bytes[RANDOM_MAX];

	if (length > sizeof(bytes))
		return SYSCALL_ERROR(ERR_TOO_LONG);
	random_fill(bytes, (size_t)length);
	return SYSCALL_ERROR(copy_to_user(buffer, bytes, (size_t)length));
}
