// SPDX-License-Identifier: MIT
//
// The part of the Generic Interrupt Controller that versions 2 and 3 share (Arm IHI 0048, IHI 0069).

#include "gic.h"
#include <arch/time.h>
#include <kernel/trap.h>
#include <tern/info.h>

#define LINES_PER_WORD    32 // one bit each
#define TRIGGERS_PER_WORD 16 // two bits each, of which the upper one means edge
#define LINES_MAX         1020
#define TYPER_LINES_MASK  0x1f

static volatile uint8_t *distributor;
static uint32_t line_count;
static uint32_t timer_line;
static uint32_t group_bits;

uint32_t gic_line_count(void)
{
	return line_count;
}

static uint32_t word_offset(uint32_t line)
{
	return line / LINES_PER_WORD * (uint32_t)sizeof(uint32_t);
}

static uint32_t line_bit(uint32_t line)
{
	return (uint32_t)1 << line % LINES_PER_WORD;
}

// Of the word of GICD_ICFGR for a line.
static uint32_t trigger_offset(uint32_t line)
{
	return GICD_ICFGR + line / TRIGGERS_PER_WORD * (uint32_t)sizeof(uint32_t);
}

// Puts 32 lines into the known state.
static void reset_lines(volatile uint8_t *base, uint32_t first)
{
	gic_write(base, GICD_ICENABLER + word_offset(first), UINT32_MAX);
	gic_write(base, GICD_ICACTIVER + word_offset(first), UINT32_MAX);
	gic_write(base, GICD_IGROUPR + word_offset(first), group_bits);
	for (uint32_t line = first; line < first + LINES_PER_WORD; line += sizeof(uint32_t))
		gic_write(base, GICD_IPRIORITYR + line, GIC_PRIORITY * 0x01010101u);
}

void gic_init_distributor(volatile uint8_t *base, uint32_t timer, uint32_t groups)
{
	distributor = base;
	timer_line = timer;
	group_bits = groups;
	line_count = ((gic_read(base, GICD_TYPER) & TYPER_LINES_MASK) + 1) * LINES_PER_WORD;
	if (line_count > LINES_MAX)
		line_count = LINES_MAX;
	for (uint32_t first = GIC_SPI_FIRST; first < line_count; first += LINES_PER_WORD) {
		reset_lines(base, first);
		gic_write(base, trigger_offset(first), 0);
		gic_write(base, trigger_offset(first + TRIGGERS_PER_WORD), 0);
	}
}

void gic_init_private(volatile uint8_t *base)
{
	reset_lines(base, 0);
	gic_write(base, GICD_ISENABLER, line_bit(GIC_LINE_IPI) | line_bit(timer_line));
}

// Shared lines are active high or rising; nothing else can be set (IHI 0048, 1.4.2).
bool gic_configure_trigger(uint32_t line, uint32_t flags)
{
	uint32_t offset = trigger_offset(line);
	uint32_t edge = (uint32_t)2 << line % TRIGGERS_PER_WORD * 2;
	uint32_t word;

	if (line < GIC_SPI_FIRST || line >= line_count || (flags & INTERRUPT_ACTIVE_LOW))
		return false;
	gic_mask(line);
	word = gic_read(distributor, offset) & ~edge;
	gic_write(distributor, offset, flags & INTERRUPT_EDGE ? word | edge : word);
	return true;
}

void gic_mask(uint32_t line)
{
	gic_write(distributor, GICD_ICENABLER + word_offset(line), line_bit(line));
}

void gic_unmask(uint32_t line)
{
	gic_write(distributor, GICD_ISENABLER + word_offset(line), line_bit(line));
}

void gic_deliver(uint32_t line)
{
	if (line == timer_line) {
		arch_timer_set(DEADLINE_NEVER); // or its level would stay up
		trap_timer();
	} else if (line == GIC_LINE_IPI) {
		trap_ipi();
	} else {
		trap_interrupt(line);
	}
}
