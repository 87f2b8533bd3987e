// The three kinds of controls of the fault panel. Each has a sentence on what it does: beside it where there is space, and
// always for the ear.

import { useId } from "react";

interface ButtonProps {
  label: string;
  says: string;
  onClick(): void;
}

export function FaultButton({ label, says, onClick }: ButtonProps) {
  const id = useId();
  return (
    <div className="fault">
      <button type="button" className="button" aria-describedby={id} onClick={onClick}>
        {label}
      </button>
      <p id={id}>{says}</p>
    </div>
  );
}

interface SwitchProps {
  label: string;
  says: string;
  on: boolean;
  onChange(on: boolean): void;
}

export function FaultSwitch({ label, says, on, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div className="fault">
      <button
        type="button"
        role="switch"
        className="switch"
        aria-checked={on}
        aria-describedby={id}
        onClick={() => onChange(!on)}
      >
        <span className="switch-track" aria-hidden="true" />
        {label}
      </button>
      <p id={id}>{says}</p>
    </div>
  );
}

interface SliderProps {
  label: string;
  says: string;
  value: number;
  max: number;
  step: number;
  /** The value in words. */
  words: string;
  onChange(value: number): void;
}

/** Zero, at its left end, is no fault. */
export function FaultSlider({ label, says, value, max, step, words, onChange }: SliderProps) {
  const id = useId();
  return (
    <div className="fault slider" data-on={value > 0}>
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id}>{words}</output>
      <input
        id={id}
        type="range"
        min={0}
        max={max}
        step={step}
        value={value}
        aria-valuetext={words}
        aria-describedby={`${id}says`}
        onChange={({ target }) => onChange(target.valueAsNumber)}
      />
      <p id={`${id}says`}>{says}</p>
    </div>
  );
}
